"""What an hour on this machine costs, as a person has set it for a company. It knows one small file."""

from dataclasses import asdict, dataclass

from assistant.errors import AssistantError
from assistant.workspace import Workspace, read_json, write_json

MOST = 10_000.0


@dataclass(frozen=True)
class Price:
    """Money for an hour; 0 while nobody has set it."""

    hour: float = 0.0
    currency: str = "€"

    def text(self, amount: float) -> str:
        """An amount for people: "€0.04", "€1,200"."""
        return f"{self.currency}{amount:,.2f}" if amount < 100 else f"{self.currency}{amount:,.0f}"


def read_price(workspace: Workspace) -> Price:
    """The price that was set; nothing if none was.

    Raises:
        AssistantError: the file is damaged.
    """
    path = workspace.training / "price.json"
    if not path.exists():
        return Price()
    values = read_json(path)
    try:
        return Price(float(values["hour"]), str(values["currency"]))
    except (KeyError, TypeError, ValueError) as problem:
        raise AssistantError(f"{path} holds no price ({problem}). Set the price an hour again.") from problem


def write_price(workspace: Workspace, price: Price) -> None:
    """Keep a price.

    Raises:
        AssistantError: it is below 0, absurdly high, or its currency is no short word.
    """
    if not 0 <= price.hour <= MOST:
        raise AssistantError(f"The price an hour is {price.hour:g}; it should be from 0 to {MOST:,.0f}.")
    if not 0 < len(price.currency.strip()) <= 4:
        raise AssistantError(
            f"The currency is {price.currency!r}; it should be a sign or code of one to four characters."
        )
    write_json(workspace.training / "price.json", asdict(price))
