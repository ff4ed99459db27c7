"""What the meters have told, for ever: the store of one environment, and the questions that it answers.

``intake`` decides what of a message is kept, ``storage`` writes it, ``questions`` read it again and answer,
``costs`` put the answers into money, ``imports`` and ``exports`` talk to other programs.

Nothing but what the meter said is stored: consumption, means and costs are
made when somebody asks, so that a late value, another meter or a corrected clock needs no repair.

SQLite by the standard library: no server, one file that survives a power cut, and a page asks all it wants
of it in one call of one thread. Of the packages that bring SQLite to asyncio, each call costs more than the
question.
"""
