"""The vendor's endpoints, one module per resource, spelled as documented."""
