"""What the page and its API ask of the history: plain words in, plain values out. Blocking.

``Questions`` is the whole of it; ``table`` lists what can be asked, each in a module of its own.
"""

from smart_meter_reader.sinks.web.questions.asked import QuestionError
from smart_meter_reader.sinks.web.questions.asking import Questions
from smart_meter_reader.sinks.web.questions.download import Download

__all__ = ["Download", "QuestionError", "Questions"]
