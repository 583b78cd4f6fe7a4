"""One module per area of the clinic's pages."""
