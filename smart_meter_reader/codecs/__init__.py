"""Sans-IO codecs: functions of bytes, with no loop, clock, socket or logger in them.

What every reader of a stream keeps to (``FrameReader`` of each protocol; ``P1Reader`` on top of one):

* Bytes go in by ``receive_data``, cut anywhere. The same bytes give the same frames, however they are cut.
* ``next_frame`` (``next_telegram``) gives one frame at a time, and None when it needs more bytes.
* A damaged frame is raised as FrameError (DecryptionError for one that cannot be opened) where it stood. The
  reader has then gone on: the next call gives what follows. No frame with an error is ever given.
* What is no frame is skipped and counted. Whatever comes, what is kept is bounded, and the work is linear.
* A reader of captures is told of the end (``end_of_data``, ``finish``), and judges what is left.
"""
