"""The generic output options, in WHM's order: filter, sort, chunk, columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from whm_simulator.api.errors import FunctionError
from whm_simulator.api.filters import Filter, filters_of, keep
from whm_simulator.api.paging import Chunk, chunk_of, columns_of, only
from whm_simulator.api.params import Params, is_on
from whm_simulator.api.quirks import Quirks
from whm_simulator.api.sorting import SortKey, in_order, sort_keys_of

Cut = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class Output:
    """What a request wants done with the records of a function."""

    filters: list[Filter] = field(default_factory=list)
    sort_keys: list[SortKey] = field(default_factory=list)
    chunk: Chunk | None = None
    columns: list[str] = field(default_factory=list)
    tells_filtered: bool = False

    @classmethod
    def of(cls, params: Params, quirks: Quirks) -> Self:
        """The options of a request, without those that a server with *quirks* ignores.

        Raises:
            FunctionError: an option is malformed, or a sort key is no shown column.
        """
        params = {
            name: value
            for name, value in params.items()
            if not any(name.startswith(f"api.{option}.") for option in quirks.ignored)
        }
        output = cls(
            filters_of(params),
            sort_keys_of(params),
            chunk_of(params, quirks.chunk_limit),
            columns_of(params),
            is_on(params, "api.filter.verbose"),
        )
        if output.columns:
            for key in output.sort_keys:
                if key.field not in output.columns:
                    raise FunctionError(f'The sort key "{key.field}" is no shown column.')
        return output

    def apply(
        self,
        records: Sequence[Any],
        metadata: dict[str, Any],
        *,
        filters: Sequence[Filter] | None = None,
        cut: Cut | None = None,
    ) -> list[Any]:
        """The records to show; what there is to tell about them goes into *metadata*.

        Args:
            records: what the function found, in its own order; all of one kind.
            metadata: gains ``filter``, ``chunk`` and ``__chunked`` as asked for.
            filters: those still to be applied, where the function has dealt with the others.
            cut: what the function does after the filters (a cap).
        """
        kept = keep(records, self.filters if filters is None else filters)
        if self.tells_filtered and self.filters:
            metadata["filter"] = {"filtered": len(kept)}
        if cut is not None:
            kept = cut(kept)
        kept = in_order(kept, self.sort_keys)
        if self.chunk is not None:
            metadata["__chunked"] = 1
            if self.chunk.is_verbose:
                metadata["chunk"] = self.chunk.about(len(kept))
            kept = self.chunk.of(kept)
        return only(kept, self.columns) if self.columns else kept
