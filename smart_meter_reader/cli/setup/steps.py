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
        ("Meters", finding.choose_meters),
        ("Home Assistant", destinations.choose_home_assistant),
        ("openHAB", destinations.choose_openhab),
        ("JSON", destinations.choose_json_topics),
        ("The MQTT broker", destinations.choose_broker),
        ("History", here.choose_history),
        ("The page in the browser", here.choose_page),
        ("Readings on the screen", here.choose_printing),
        ("What is going to be written", files.write),
        ("What doctor says", start.examine),
        ("The service", start.install),
        ("Where to look", start.tell_where),
    ]
    return [
        ConversationStep(f"{number}/{len(steps)}  {title}", take)
        for number, (title, take) in enumerate(steps, 1)
    ]
