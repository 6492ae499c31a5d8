"""Record what a process and those that it starts read in the repository: files, folders, modules, and programs started.

Each process writes one JSON file into the folder that PIPELINE_AUDIT names.
"""

import atexit
import builtins
import importlib
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

ROOT = f"{Path.cwd()}{os.sep}"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LISTING = ("os.listdir", "os.scandir")
STARTING = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec")
#: They open files in native code, where no audit hook sees it: module -> name of the function.
NATIVE = {"safetensors": "safe_open", "safetensors.torch": "safe_open", "safetensors.numpy": "safe_open"} | {
    "torch.jit._serialization": "load"
}
#: Calls to run when a module has been imported.
after_import: dict[str, Callable[[Any], None]] = {}
#: What else is to be written at the end, such as the parameters read.
more: dict[str, Callable[[], Any]] = {}

#: A file, folder or command, and the modules on the stack up to an import, innermost first; none: importing does it.
opened: set[tuple[str, tuple[str, ...]]] = set()
listed: set[tuple[str, tuple[str, ...]]] = set()
started: set[tuple[str, tuple[str, ...]]] = set()
#: (importing module, imported module).
imported: set[tuple[str, str]] = set()


def start() -> None:
    """Begin to record."""
    after_import.update((module, partial(_watch, name)) for module, name in NATIVE.items())
    original, by_name = builtins.__import__, importlib.import_module

    def import_(
        name: str,
        globals: Any = None,  # noqa: A002 (so they are called, and may be given by name)
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        module = original(name, globals, locals, fromlist, level)
        full = resolve_name("." * level + name, globals["__package__"]) if level else name
        _note((globals or {}).get("__name__", "?"), [full, *(f"{full}.{part}" for part in fromlist or ())])
        return module

    def import_module(name: str, package: str | None = None) -> Any:
        module = by_name(name, package)
        _note(sys._getframe(1).f_globals.get("__name__", "?"), [resolve_name(name, package) if package else name])
        return module

    builtins.__import__, importlib.import_module = import_, import_module
    sys.addaudithook(_hook)
    atexit.register(_write)


def _note(importer: str, names: list[str]) -> None:
    imported.update((importer, name) for name in names)
    for name in list(after_import):
        module = sys.modules.get(name)
        if module is not None and not getattr(module.__spec__, "_initializing", False):
            after_import.pop(name)(module)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and not isinstance(arguments[0], int) and not arguments[2] & WRITING:
        _see(opened, arguments[0])
    elif event in LISTING:
        _see(listed, arguments[0] if arguments[0] is not None else ".")
    elif event in STARTING:
        started.add((json.dumps(arguments[:2], default=os.fspath), stack()))


def _see(into: set[tuple[str, tuple[str, ...]]], path: Any) -> None:
    if isinstance(path, int):
        return
    full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 (Path.absolute keeps ..)
    if f"{full}{os.sep}".startswith(ROOT) and os.path.exists(full):  # noqa: PTH110
        into.add((full[len(ROOT) :], stack()))


def stack() -> tuple[str, ...]:
    """The modules that are at work, innermost first, up to an import."""
    frame, names = sys._getframe(1).f_back, list[str]()
    while frame:
        # Who imports a module doesn't do what the module does at its import.
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            break
        names.append(frame.f_globals.get("__name__", "?"))
        frame = frame.f_back
    return tuple(name for name in dict.fromkeys(names) if not name.startswith("audit."))


def _watch(name: str, module: Any) -> None:
    setattr(module, name, _seeing(getattr(module, name)))


def _seeing(load: Any) -> Any:
    def seeing(file: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(file, str | os.PathLike):
            _see(opened, file)
        return load(file, *arguments, **options)

    return seeing


def _write() -> None:
    own = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        # Libraries give modules that they make up a name of a file that isn't there.
        if file and (path := Path(file).absolute()).is_relative_to(ROOT) and path.exists():
            own[name] = str(path.relative_to(ROOT))
    record = {
        "executable": sys.executable,
        "arguments": sys.orig_argv[1:],
        "modules": own,
        "imported": [edge for edge in imported if edge[1] in own],
        "opened": list(opened),
        "listed": list(listed),
        "started": list(started),
        **{name: value() for name, value in more.items()},
    }
    target = Path(os.environ["PIPELINE_AUDIT"]) / f"{os.getpid()}.json"
    target.write_text(json.dumps(record, indent=1), encoding="utf-8")
