"""Learners and their journal."""

from labs.classroom.database import Fault, JournalError
from labs.classroom.drafts import Draft, Saved
from labs.classroom.journal import Entry, Journal, data_dir
from labs.classroom.names import InvalidName, Learner, NameFault

__all__ = [
    "Draft",
    "Entry",
    "Fault",
    "InvalidName",
    "Journal",
    "JournalError",
    "Learner",
    "NameFault",
    "Saved",
    "data_dir",
]
