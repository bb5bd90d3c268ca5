"""One learner's visit: who reads, in which language, and where the pages are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from labs.classroom import Journal, Learner
from lessons.text import Language, t

if TYPE_CHECKING:
    from streamlit import Page

HOME = "home"


@dataclass(frozen=True)
class Visit:
    """What every page is given. `pages` has the home page, the lessons and the labs by id."""

    learner: Learner
    language: Language
    journal: Journal
    zone: ZoneInfo | None = None
    pages: Mapping[str, "Page"] = field(default_factory=dict)

    def t(self, key: str, **params: object) -> str:
        """Return one text of the pages in the learner's language."""
        return t(key, self.language, **params)

    def clock_time(self, at: datetime) -> str:
        """Write an instant as the time of day where the learner is; with the date if that is another day."""
        here, now = (moment.astimezone(self.zone) for moment in (at, datetime.now(at.tzinfo)))
        return f"{here:%H:%M}" if here.date() == now.date() else f"{here:%Y-%m-%d %H:%M}"
