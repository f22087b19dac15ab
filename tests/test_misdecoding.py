"""Text that went through the wrong code page is recognised, and text in any language is not suspected."""

from __future__ import annotations

import pytest

from swarm_mcp.interchange.foreign.misdecoding import misdecoded


@pytest.mark.parametrize("page", ["cp1252", "latin-1", "mac_roman"])
@pytest.mark.parametrize("text", ["café", "it\u2019s", "日本語の題", "x → y", "ça coûte 3 €"])
def test_text_decoded_with_the_wrong_code_page_is_recognised(text: str, page: str) -> None:
    garbled = text.encode().decode(page, "ignore")
    assert misdecoded(garbled)
    assert misdecoded(garbled) in garbled


@pytest.mark.parametrize(
    "text", ["ðŸŽ¯ goal", "ğŸ¯ goal", "üéØ goal", "üóíÔ∏è notes", "\u00ef\u00bb\u00bfa mark", "ğŸš²"]
)
def test_a_damaged_emoji_or_mark_is_recognised(text: str) -> None:
    assert misdecoded(text)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "plain",
            "café crème",
            "«\u00a0voilà\u00a0»",
            "«\u00a0été\u00a0»",
            "\u201cquoted…\u201d \u2013 it\u2019s",
        ],
        *[
            "CAFÉ\u2019s",
            "日本語",
            "Füße über Äcker",
            "🎯 ✅ → ≥",
            "Привет, мир",
            "naïve œuvre",
            "10 °C ± 2 µm",
        ],
        *[
            "São Paulo à noite",
            "ğüş İstanbul",
            "üçü",
            "êëé",
            "Łódź",
            "שלום",
            "║ ├── │",
            "¿Qué pasó?",
            "naïveté…",
        ],
    ],
)
def test_text_in_any_language_is_not_suspected(text: str) -> None:
    assert misdecoded(text) == ""
