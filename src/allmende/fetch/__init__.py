"""The polite client: every wait for a server is here, and every wait is bounded.

    agent       who we say we are
    outcome     what one URL came to
    guard       which URLs and addresses may be asked at all
    dns         names to addresses, cached
    politeness  what one host is owed: concurrency, spacing, rest after anger, the circuit breaker
    frontier    which host is next
    budget      bytes in memory
    kind        which media are wanted, by Content-Type and first bytes
    body        one response's body, under its caps
    exchange    one request and its response, phase by phase
    wire        libcurl on the event loop
    client      the above, put together

Nothing here decodes media; nothing here imports the engine.
"""
