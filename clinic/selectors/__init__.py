"""Questions that only pages ask, across apps."""
