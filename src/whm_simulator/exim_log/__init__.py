"""The mail that a real Exim main log tells of, as a source of rows like the made-up one.

``line`` turns a line into one of the ``events``, with the help of ``addresses`` and ``tags``;
``stamps`` turns wall time into instants; ``tail`` reads what a file has gained; ``origin`` says
whose mail it is; ``rows`` words it as WHM does; ``message`` keeps what became of one message, with
``remaining`` for what is left to do; and ``log_mail`` is the source of mail that all this serves.
"""
