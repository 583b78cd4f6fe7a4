"""What the pages' forms accept. They check; the actions write."""
