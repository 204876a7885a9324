"""What a relay's answers mean for the message that is on its way."""

import pytest
from tests.integration.test_smtp_transport import Relay, go_on, message, serving


@pytest.mark.parametrize("answer", ["250 2.0.0 OK", "251 2.0.0 taken for another", "252 2.0.0 taken", "200 taken"])
def test_every_yes_to_the_content_is_a_yes(answer: str) -> None:
    with serving(Relay({"content": answer})) as transport:
        assert transport.send(message(), before_data=go_on) == answer
