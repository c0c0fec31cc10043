"""Stands in for `slicer.i18n`: the untranslated text."""


def tr(text: str) -> str:
    return text


def translate(context: str, text: str) -> str:
    return text
