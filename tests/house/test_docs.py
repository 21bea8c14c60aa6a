"""What documents say is what the code does."""

from scripts import endpoints, matrix

from orrery import providers


def test_the_page_of_providers_is_what_the_code_makes_of_it():
    assert matrix.PAGE.read_text(encoding="utf-8") == matrix.page(), "run make docs"


def test_the_page_of_endpoints_is_what_the_code_makes_of_it():
    assert endpoints.PAGE.read_text(encoding="utf-8") == endpoints.page(), "run make docs"


def test_the_page_lists_every_provider_and_how_to_reach_it():
    text = matrix.PAGE.read_text(encoding="utf-8")
    assert all(f"\n| {name} | `" in text for name in providers.names() if name != "sandbox")
