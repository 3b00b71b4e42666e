"""Imported by the process from which workers are forked: what any page needs is then in memory that they share."""

from filters import language, word_lists, words
from pipelines.extract import content, counters

language.model()
content.models()
counters.flags()
words.flags()
word_lists.lists_of("en")  # the language of most crawls; others are read where a page is in them
