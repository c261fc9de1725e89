"""How to sign in: which inputs form a method, how a request is signed, and where access tokens come from."""
