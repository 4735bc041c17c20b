"""Who answers which request: `table` has all of them; each `*_routes` answers those of one noun, and each `*_handlers`
is one function a request."""
