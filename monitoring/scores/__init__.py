"""Scores of myositis activity: plain Python, no Django, no clock. Each module names its source."""
