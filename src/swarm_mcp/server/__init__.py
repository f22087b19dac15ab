"""MCP: which requests are answered, with what, and over which wire."""
