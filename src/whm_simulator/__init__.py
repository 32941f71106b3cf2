"""A WHM API 1 server to develop, demonstrate and test against.

It serves a made-up but plausible stream of mail as cPanel's Mail Delivery Reports would, and shares
no code with the exporter, so that a misunderstanding of WHM can't be on both sides.

Rooms, each knowing only those before it:

* ``mail``: rows, sums, queue and accounts, and what a source of them gives;
* ``world``: made-up mail, a pure function of seed, server and time;
* ``exim_log``: the mail of a real Exim main log instead;
* ``api``: WHM's functions and output options, parameters in, one answer out; no I/O;
* ``web``: HTTP, TLS, login, faults and the control endpoint;
* ``app`` wires them, ``cli`` reads the flags.
"""
