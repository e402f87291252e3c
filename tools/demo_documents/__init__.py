"""Makes the documents of the demo: pages of manuals as Debian ships them, and troubles around them."""
