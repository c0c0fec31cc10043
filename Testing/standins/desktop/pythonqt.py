"""Makes PySide6 behave like Slicer's PythonQt, as far as the panels are concerned (see shared/design/slicer.md).

A Q_PROPERTY is an attribute and calling it raises TypeError; an attribute that does not exist cannot be set; methods
take no keyword arguments; lists come back as tuples; enumerations are ints; `connect` takes a signal's signature and
returns False where there is none; what a slot raises is printed and swallowed, and kept in `lost`.
"""

import ctypes
import enum
import inspect
import sys
import traceback
from functools import cache, partial, wraps

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

if sys.version_info < (3, 12):
    # PySide6 6.12 drops a reference to None with each call that returns nothing; None is immortal only from 3.12 on.
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40

lost: list[BaseException] = []  # what slots raised: a test that leaves one has failed
_MODULES = (QtCore, QtWidgets, QtGui, QtUiTools)


class EnumInt(int):
    """A member of an enumeration: an int here as in PythonQt, which methods of PySide6 get as what it is."""

    def __new__(cls, member):
        self = super().__new__(cls, member.value)
        self.member = member
        return self

    def __or__(self, other):
        return EnumInt(self.member | getattr(other, "member", other))


def unwrapped(value):
    """Return what PySide6 wants."""
    if type(value) is EnumInt:
        return value.member
    if type(value) is Foreign:
        return object.__getattribute__(value, "_object")
    if isinstance(value, list | tuple):
        return list(map(unwrapped, value))
    return value


def wrapped(value):
    """Return what PythonQt gives."""
    if isinstance(value, enum.Enum):
        return EnumInt(value)
    if isinstance(value, list | tuple):
        return tuple(map(wrapped, value))
    if issubclass(type(value), QtCore.QObject) and not issubclass(type(value), Bridged):
        return Foreign(value)  # made by Qt itself: a header, a layout, an application
    return value


def reporting(slot, sent: int):
    """Return the slot, keeping what it raises; it gets as many of the signal's arguments as it takes."""

    def call(*arguments):
        try:
            slot(*map(wrapped, arguments))
        except Exception as error:
            lost.append(error)
            traceback.print_exc()

    accepted = _accepted(slot)
    count = sent if accepted is None else min(sent, accepted)
    forms = (lambda: call(), lambda a: call(a), lambda a, b: call(a, b), lambda a, b, c: call(a, b, c))  # noqa: PLW0108
    return forms[count]  # PySide6 looks at the number of a slot's parameters


def _accepted(slot) -> int | None:
    try:
        kinds = inspect.signature(slot).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(kind.kind is kind.VAR_POSITIONAL for kind in kinds):
        return None
    return sum(kind.kind in (kind.POSITIONAL_ONLY, kind.POSITIONAL_OR_KEYWORD) for kind in kinds)


class Signal:
    """A signal as an attribute: `w.clicked.connect(f)`."""

    def __init__(self, owner, name: str) -> None:
        self._owner, self._name = owner, name

    def connect(self, slot) -> bool:
        """Connect; twice calls twice."""
        signal = getattr_of(self._owner, self._name)
        connection = reporting(slot, _sent(self._owner, self._name))
        _connections(self._owner).append((self._name, slot, connection))
        signal.connect(connection)
        return True

    def disconnect(self, slot) -> bool:
        """Disconnect one connection of the slot."""
        return _disconnect(self._owner, self._name, getattr_of(self._owner, self._name), slot)

    def emit(self, *arguments) -> None:
        """Send it, as `w.clicked.emit()` or `w.clicked()` do."""
        getattr_of(self._owner, self._name).emit(*map(unwrapped, arguments))

    __call__ = emit


def _sent(owner, name: str) -> int:
    """Return how many arguments the signal of that name sends."""
    meta = QtCore.QObject.metaObject(owner)
    methods = map(meta.method, range(meta.methodCount()))
    signals = [m for m in methods if m.methodType() == QtCore.QMetaMethod.MethodType.Signal]
    return max((m.parameterCount() for m in signals if m.name().data().decode() == name), default=0)


_kept: dict[int, list] = {}


def _connections(owner) -> list:
    return _kept.setdefault(id(owner), [])


def _disconnect(owner, key: str, signal, slot) -> bool:
    for entry in _connections(owner):
        if entry[0] == key and entry[1] == slot:
            signal.disconnect(entry[2])
            _connections(owner).remove(entry)
            return True
    return False


def getattr_of(owner, name: str):
    """Return PySide6's own attribute."""
    return (
        getattr(owner, name) if not issubclass(type(owner), Bridged) else super(Bridged, owner).__getattribute__(name)
    )


def connect(owner, signature: str, slot) -> bool:
    """`w.connect('clicked(bool)', f)`; a wrong signature only prints."""
    signal = _signal(owner, signature)
    if signal is None:
        print(f"{type(owner).__name__} has no signal {signature}")
        lost.append(AttributeError(f"{type(owner).__name__} has no signal {signature}"))
        return False
    connection = reporting(slot, signature.count(",") + 1 if "()" not in signature else 0)
    _connections(owner).append((signature, slot, connection))
    signal.connect(connection)
    return True


def disconnect(owner, signature: str, slot) -> bool:
    """Undo one `connect`."""
    signal = _signal(owner, signature)
    return signal is not None and _disconnect(owner, signature, signal, slot)


def _signal(owner, signature: str):
    meta = QtCore.QObject.metaObject(owner)
    name, _, kinds = signature.rstrip(")").partition("(")
    if meta.indexOfSignal(QtCore.QMetaObject.normalizedSignature(signature).data().decode()) < 0:
        # PySide6 declares the signals of Python classes with other types (a node is an object)
        declared = getattr(type(owner), "SIGNALS", ())
        return getattr_of(owner, name) if signature.replace(" ", "") in declared else None
    signal = getattr_of(owner, name)
    try:
        return signal[f"{name}({kinds})"] if kinds else signal
    except (IndexError, KeyError, TypeError):
        return signal


_OWN = {  # what PythonQt adds to every object
    "name": QtCore.QObject.objectName,
    "connect": lambda owner: partial(connect, owner),
    "disconnect": lambda owner: partial(disconnect, owner),
    "delete": lambda owner: owner.deleteLater,
}


def read(owner, name: str, plain):
    """Return an attribute as PythonQt gives it."""
    if name.startswith("__"):
        return plain(name)
    if name in _OWN:
        return _OWN[name](owner)
    if is_property(owner, name):
        return wrapped(QtCore.QObject.property(owner, name))
    value = plain(name)
    if isinstance(value, QtCore.SignalInstance):
        return Signal(owner, name)
    return strict(value) if inspect.isbuiltin(value) else value


def write(owner, name: str, value) -> bool:
    """Set a property; False where there is none of that name."""
    name = "objectName" if name == "name" else name
    if not is_property(owner, name):
        return False
    if not QtCore.QObject.setProperty(owner, name, unwrapped(value)):
        raise ValueError(f"{type(owner).__name__}.{name} cannot be {value!r}")
    return True


def is_property(owner, name: str) -> bool:
    """Whether Qt declares a property of that name."""
    return QtCore.QObject.metaObject(owner).indexOfProperty(name) >= 0


def strict(method):
    """Return a method of Qt that takes no keyword arguments, and gives tuples and ints."""

    @wraps(method, assigned=("__name__", "__doc__"), updated=())
    def call(*arguments):
        return wrapped(method(*map(unwrapped, arguments)))

    return call


class Bridged:
    """Mixed into each class of Qt that Python makes objects of."""

    def __init__(self, *arguments) -> None:
        super().__init__(*map(unwrapped, arguments))

    def __getattribute__(self, name: str):
        plain = super().__getattribute__
        if issubclass(type(self), QtCore.QObject):
            return read(self, name, plain)
        value = plain(name)
        return strict(value) if not name.startswith("__") and inspect.isbuiltin(value) else value

    def __setattr__(self, name: str, value) -> None:
        if issubclass(type(self), QtCore.QObject) and write(self, name, value):
            return
        if type(self).__dict__.get("_plain") and not name.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        super().__setattr__(name, value)


class Foreign:
    """An object that Qt made, with the manners of a bridged one."""

    def __init__(self, thing) -> None:
        object.__setattr__(self, "_object", thing)

    def __getattribute__(self, name: str):
        thing = object.__getattribute__(self, "_object")
        return thing.__class__ if name == "__class__" else read(thing, name, lambda key: getattr(thing, key))

    def __setattr__(self, name: str, value) -> None:
        if not write(object.__getattribute__(self, "_object"), name, value):
            raise AttributeError(f"no attribute '{name}'")

    def __eq__(self, other) -> bool:
        return object.__getattribute__(self, "_object") is unwrapped(other)

    __hash__ = None


@cache
def bridged(base: type) -> type:
    """Return the class `base` of PySide6 as PythonQt has it."""
    return type(base.__name__, (Bridged, base), {"_plain": True, **_enumerations(base)})


def _enumerations(base: type) -> dict[str, object]:
    found = {}
    for kind in reversed(base.__mro__):
        for value in vars(kind).values():
            if isinstance(value, enum.EnumMeta):
                found |= {name: EnumInt(member) for name, member in value.__members__.items()}
    return found


class Namespace:
    """`qt.Qt`: its enumerations, flat."""

    def __init__(self, members: dict[str, object]) -> None:
        self.__dict__.update(members)


def lookup(name: str):
    """Return what `qt.<name>` is."""
    if name == "Qt":
        return Namespace(_enumerations(QtCore.Qt))
    base = next((getattr(module, name) for module in _MODULES if hasattr(module, name)), None)
    if base is None or not name.startswith("Q"):
        raise AttributeError(f"module 'qt' has no attribute '{name}'")
    return bridged(base) if isinstance(base, type) else base
