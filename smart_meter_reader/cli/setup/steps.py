"""The steps of `setup` in their order."""

from __future__ import annotations

from smart_meter_reader.cli.setup import destinations, finding, here
from smart_meter_reader.cli.setup.conversation import ConversationStep
from smart_meter_reader.cli.setup.starting import Start
from smart_meter_reader.cli.setup.writing import SettingsFiles


def steps_for(files: SettingsFiles) -> list[ConversationStep]:
    """All of them; ``files`` are what they write."""
    start = Start(files)
    steps = [
        ("Meters", finding.meters),
        ("Home Assistant", destinations.home_assistant),
        ("openHAB", destinations.openhab),
        ("JSON", destinations.json_topics),
        ("The MQTT broker", destinations.broker),
        ("History", here.history),
        ("The page in the browser", here.page),
        ("Readings on the screen", here.printed),
        ("What is going to be written", files.write),
        ("What doctor says", start.examine),
        ("The service", start.install),
        ("Where to look", start.tell_where),
    ]
    return [
        ConversationStep(f"{number}/{len(steps)}  {title}", take)
        for number, (title, take) in enumerate(steps, 1)
    ]
