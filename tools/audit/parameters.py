"""Record which leaves of params.yaml a process uses: of the parsed file, and of the schemas that parts of it became."""

from collections.abc import Iterator, Mapping
from typing import Any

from audit import reads

#: Dotted paths of leaves, and the modules at work when they were used, or handed out by iterating over a section.
used: set[tuple[str, tuple[str, ...]]] = set()
iterated: set[tuple[str, tuple[str, ...]]] = set()
#: Paths of leaves that at least were validated.
validated: set[str] = set()


class Section(dict[str, Any]):
    """A mapping of params.yaml that records which of its leaves are looked at."""

    def __init__(self, content: Mapping[str, Any], path: str = "") -> None:
        self.path = path
        super().__init__({key: section(value, self.at(key)) for key, value in content.items()})

    def at(self, key: object) -> str:
        """The path of one of its keys."""
        return f"{self.path}.{key}".lstrip(".")

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if not isinstance(value, Section):
            _note(used, {self.at(key)})
        return value

    def get(self, key: str, default: Any = None) -> Any:  # noqa: D102
        return self[key] if key in self else default  # noqa: SIM401 (this is get)

    def __iter__(self) -> Iterator[str]:
        _note(iterated, leaves(self))
        return super().__iter__()

    def keys(self) -> Any:  # noqa: D102
        return list(self)

    def items(self) -> Any:  # noqa: D102
        _note(iterated, leaves(self))
        return super().items()

    def values(self) -> Any:  # noqa: D102
        _note(iterated, leaves(self))
        return super().values()


def _note(into: set[tuple[str, tuple[str, ...]]], paths: set[str]) -> None:
    at_work = reads.stack()
    into.update((path, at_work) for path in paths)


def section(value: Any, path: str) -> Any:
    """``value``, found at ``path``, so that it records if it is a mapping."""
    return Section(value, path) if isinstance(value, Mapping) else value


def leaves(value: Any, path: str = "") -> set[str]:
    """Every leaf under a section; a mapping without keys is one itself."""
    if isinstance(value, Section):
        pairs = dict.items(value)
        return set().union(*(leaves(item, value.at(key)) for key, item in pairs)) if value else {value.path}
    return {path}


def plain(value: Any) -> Any:
    """``value`` without what records, and without recording."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in dict.items(value)}
    return [plain(item) for item in value] if isinstance(value, list) else value


class Recorder:
    """Which field of which schema instance came from where; instances are kept, so that their ids stay theirs."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Any, dict[str, tuple[str, Any]]]] = {}
        self.origins: dict[int, str] = {}

    def link(self, instance: Any, value: dict[str, Any], path: str | None) -> None:
        """Note where the fields of ``instance``, made from ``value``, come from; None: not from the file itself."""
        origin = value.path if isinstance(value, Section) else path
        if origin is not None:
            self.origins[id(instance)] = origin
        fields: dict[str, tuple[str, Any]] = {}
        for name, child in dict.items(value):
            if isinstance(child, Section):
                fields[name] = child.path, child
                if hasattr(instance.__dict__[name], "model_fields"):
                    self.link(instance.__dict__[name], child, child.path)
            elif origin is not None:
                fields[name] = f"{origin}.{name}", None
                validated.add(f"{origin}.{name}")
        self.known[id(instance)] = instance, fields

    def read(self, instance: Any, name: str, value: Any) -> Any:
        """What the attribute ``name`` is to give, after recording that it was read."""
        _, fields = self.known.get(id(instance), (None, {}))
        if name not in fields or id(value) in self.known:
            return value
        path, child = fields[name]
        if child is None:
            _note(used, {path})
        return value if child is None else child

    def dumped(self, instance: Any, content: dict[str, Any]) -> dict[str, Any]:
        """What ``model_dump`` is to give: the contents, which record too."""
        if id(instance) in self.origins:
            return Section(content, self.origins[id(instance)])
        for path, child in self.known.get(id(instance), (None, {}))[1].values():
            _note(used, {path} if child is None else leaves(child))
        return content


def start() -> None:
    """Have the functions through which the pipeline gets its parameters record them."""
    recorder = Recorder()
    sections: set[str] = set()

    def on_params(params: Any) -> None:
        read = params.read

        def recorded(*arguments: Any, **options: Any) -> Any:
            content = section(read(*arguments, **options), "")
            sections.update(_sections(content))
            return content

        params.read = recorded

    def on_schema(schema: Any) -> None:
        parse, schema_class = schema.parse, schema.Schema
        get, dump = schema_class.__getattribute__, schema_class.model_dump

        def recorded(cls: Any, value: Any, path: str) -> Any:
            instance = parse(cls, plain(value), path)
            from_file = path if path in sections else None
            recorder.link(instance, value, from_file)
            if from_file:  # from here on the schema's fields tell what is used
                fields = {f"{path}.{name}" for name in cls.model_fields}
                iterated.difference_update([entry for entry in iterated if entry[0] in fields])
            return instance

        def dumped(self: Any, **options: Any) -> Any:
            return recorder.dumped(self, dump(self, **options))

        schema.parse = recorded
        schema_class.model_dump = dumped
        schema_class.__getattribute__ = lambda self, name: recorder.read(self, name, get(self, name))

    reads.after_import["pipeline.core.params"] = on_params
    reads.after_import["pipeline.core.schema"] = on_schema
    reads.more["used"] = lambda: sorted(used | iterated)
    reads.more["validated"] = lambda: sorted(validated)


def _sections(content: Any) -> set[str]:
    own = {content.path} if isinstance(content, Section) else set()
    return own.union(*(_sections(item) for item in dict.values(content))) if isinstance(content, Section) else own
