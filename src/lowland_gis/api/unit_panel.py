"""The panel beside the map that parcels are clicked in: choose an edit, see its answer, do a repair, undo, redo."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from lowland_gis.errors import LowlandError
from lowland_gis.products.maps.editing import FIELD

if TYPE_CHECKING:
    from lowland_gis.api.unit_editing import EditAnswer, UnitEditing

_REPAIRS = 3
_Do = Callable[[], "EditAnswer | None"]


def panel(editing: UnitEditing) -> Any:
    """Return the panel (ipywidgets): a click in the map writes a code into its first field, shift and click adds one.

    The second field takes a unit to move to, the other parcels of a swap, or the other parcel of a link; the third why a link is as it is said.
    """
    import ipywidgets as widgets

    parcels = widgets.Text(description="宗地", placeholder="click the map")
    parcels.add_class(FIELD)
    other = widgets.Text(description="单元/宗地", placeholder="unit, or other parcel")
    reason = widgets.Text(description="理由", placeholder="why, for a link")
    shown, answered = widgets.HTML(), widgets.HTML()

    def codes(field: Any) -> list[str]:
        return [code.strip() for code in field.value.split(",") if code.strip()]

    says: dict[str, _Do] = {
        "移入单元 move": lambda: editing.move(codes(parcels), other.value.strip() or None),
        "移出 move out": lambda: editing.move(codes(parcels)),
        "新单元 new": lambda: editing.new(codes(parcels)),
        "互换 swap": lambda: editing.swap(codes(parcels), codes(other)),
        "相连 link": lambda: editing.link(parcels.value.strip(), other.value.strip(), reason.value),
        "不相连 forbid link": lambda: editing.forbid_link(
            parcels.value.strip(), other.value.strip(), reason.value
        ),
        "合并 merge": lambda: editing.merge(*codes(other)),
        "重划 mend": lambda: editing.mend(*codes(other)),
    }

    def done(work: _Do) -> None:
        try:
            answer = work()
            answered.value = "" if answer is None else answer._repr_html_()
        except (LowlandError, TypeError) as error:
            answered.value = f"<p>{escape(str(error))}</p>"
            return
        shown.value = editing.page()._repr_html_()

    def button(name: str, work: _Do, width: str = "auto") -> Any:
        made = widgets.Button(description=name, layout=widgets.Layout(width=width))
        made.on_click(lambda _: done(work))
        return made

    def undo() -> EditAnswer | None:
        editing.undo()
        return None

    edits = [button(name, work) for name, work in says.items()]
    repairs = [
        button(f"修补 {number}", lambda number=number: editing.repair(number))  # type: ignore[misc]
        for number in range(1, _REPAIRS + 1)
    ]
    back = [button("撤销 undo", undo), button("重做 redo", editing.redo)]
    shown.value = editing.page()._repr_html_()
    wrap = widgets.Layout(flex_flow="row wrap")
    return widgets.VBox(
        [
            shown,
            widgets.HBox([parcels, other, reason]),
            widgets.Box(edits, layout=wrap),
            widgets.Box([*repairs, *back], layout=wrap),
            answered,
        ]
    )
