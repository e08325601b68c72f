"""The command line. Sub-commands are imported when they are called, so that `lowland --help` answers at once."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis import __version__
from lowland_gis.cli.outputs import InputPath
from lowland_gis.cli.process import collect_seldom, keep_memory, leave
from lowland_gis.cli.raw_names import is_bytes, not_utf8, refuse_bytes, word_around
from lowland_gis.cli.streams import have_streams, mention, nobody_reads, speak_utf8, warn
from lowland_gis.errors import InputRefusedError, LowlandError, UsageError

if TYPE_CHECKING:
    from lowland_gis.files.outputs import Outputs
    from lowland_gis.pipeline.base.project import Project
    from lowland_gis.settings import Settings

# A fault of the program itself; 1 would read as findings. The number is that of sysexits.h.
OWN_FAULT = 70

_ASKED_HOW = "lowland_gis.asked_how"
# They look at no definition, so they work also where one is wrong.
_WITHOUT_DEFINITIONS = ("init", "doctor", "demo", "db")

# Name → module and one line of help, so that the list of commands needs no import.
COMMANDS = {
    "init": ("project", "Make a project: lowland.toml and its folders (新建项目)."),
    "doctor": ("doctor", "Say what is installed, what is missing and how to get it (环境检查)."),
    "demo": ("demo", "Run the sample district through every stage (示例)."),
    "run": ("run", "Run the whole flow that lowland.toml describes (全流程)."),
    "db": ("db", "Start, stop and look at the project's database (数据库)."),
    "inspect": ("inspect", "Say what a delivery is and what ingest would do with it (查看来件)."),
    "convert": ("convert", "Write a file in another form and say what became of it (格式转换)."),
    "ingest": ("ingest", "Load a delivery of a layer (入库)."),
    "layers": ("layers", "List layers, their fields and what was set aside; compare versions (图层)."),
    "check": ("check", "Check what was received: topology, codes, fields, areas (质检)."),
    "tabulate": ("tabulate", "Tabulate overlap areas of two vector files (叠加分析)."),
    "classify": ("classify", "Decide kinds by the rule pack, and explain a verdict (认定)."),
    "measures": ("measures", "List what parcels are measured by (指标)."),
    "rules": ("rules", "List, show and check rule packs (规则)."),
    "unit": ("unit", "Draft and list redevelopment units (再开发单元)."),
    "registry": ("registry", "Look at the three databases (三库)."),
    "update": ("update", "Compare last year's filed state with the new deliveries (年度更新)."),
    "plan": ("plan", "Send out, read and check the annual plans of the towns (年度实施计划)."),
    "package": ("package", "Build and check a submission package (成果包)."),
    "report": ("report", "Say which reports are due, and make them (简报与报告)."),
    "map": ("map", "Draw maps, the page and sheets of cases (专题图、网页图、图表)."),
}


class _LazyGroup(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        # What is only asked how it is typed gets its answer, whatever state the project is in.
        ctx.meta[_ASKED_HOW] = not {"-h", "--help"}.isdisjoint(ctx.args)
        return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lowland_gis.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=3, cutoff=0.5)
            hint = f" Did you mean: {', '.join(near)}?" if near else " Type: lowland --help"
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@dataclass
class Session:
    """What every command knows: the project file and how much to say."""

    project_file: Path
    verbosity: int
    debug: bool

    @property
    def project_dir(self) -> Path:
        """Return the folder of the project file."""
        return self.project_file.resolve().parent

    @cached_property
    def settings(self) -> Settings:
        """Return the settings of the project."""
        from lowland_gis.settings import load

        return load(self.project_file)

    @property
    def dsn(self) -> str | None:
        """Return the server that takes the place of the private cluster."""
        if "LOWLAND_DSN" in os.environ or not self.project_file.is_file():
            return os.environ.get("LOWLAND_DSN")
        return self.settings.dsn

    @cached_property
    def project(self) -> Project:
        """Return the open project."""
        from lowland_gis.pipeline.base.project import open_project

        return open_project(self.project_file)

    @property
    def outputs(self) -> Outputs:
        """Return what the project has written; without a project no file that exists is known as ours."""
        from lowland_gis.files.outputs import Outputs
        from lowland_gis.pipeline.base.outputs import outputs_of

        return (
            outputs_of(self.project_dir, lambda: self.settings) if self.project_file.is_file() else Outputs()
        )

    def take_up_definitions(self) -> None:
        """Let every command work with the definitions of the project, also one that opens no database."""
        if self.project_file.is_file() and (self.project_dir / "definitions").is_dir():
            from lowland_gis.definitions.take_up import take_up

            take_up(self.project_dir)

    def tell(self, text: str) -> None:
        """Say what is being done, on stderr; what only passes by is one line of a terminal, unless more is to be said."""
        from lowland_gis.pipeline.base.telling import Passing

        if self.verbosity >= 0:
            (mention if isinstance(text, Passing) and not self.verbosity else warn)(text)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project",
    "project_file",
    default="lowland.toml",
    show_default=True,
    type=InputPath(dir_okay=False),
    help="The project file.",
)
@click.option("-v", "--verbose", count=True, help="Say more.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="lowland")
@click.pass_context
def lowland(ctx: click.Context, project_file: Path, verbose: int, quiet: bool, debug: bool) -> None:
    """PostGIS parcel database and analysis for the re-use of low-efficiency land (低效用地再开发).

    Data goes to stdout, progress to stderr. Exit codes: 0 done, 1 done with findings, 2 usage, 3 input refused, 4 database,
    5 a rerun differs, 6 a definition is wrong, 70 a fault of lowland itself.
    """
    ctx.obj = Session(project_file, -1 if quiet else verbose, debug)
    if not ctx.meta[_ASKED_HOW] and ctx.invoked_subcommand not in _WITHOUT_DEFINITIONS:
        ctx.obj.take_up_definitions()


def program() -> None:
    """Run the command of this process and leave at once."""
    code: int | str | None = 0
    keep_memory()
    collect_seldom()
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code
    leave(_said(code if isinstance(code, int) else 0))


def main(arguments: list[str] | None = None) -> None:
    """Run a command and turn every expected error into a message and its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    signal.signal(signal.SIGTERM, _terminated)
    have_streams()
    speak_utf8()
    output = sys.stdout
    try:
        refuse_bytes(given)
        code = lowland.main(args=arguments, prog_name="lowland", standalone_mode=False)
    except SystemExit:
        if sys.stdout is not output:
            # click changes the stream and ends with 1 when the reader of our output went away, as `head` does.
            nobody_reads()
            sys.exit(0)
        raise
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(_say("Stopped; nothing was left half-done.", 130))
    except BrokenPipeError:
        nobody_reads()
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        sys.exit(_say(*_refusal(error)))
    sys.exit(code if isinstance(code, int) else 0)


def _said(code: int) -> int:
    """Say what is still to be said on stdout and return the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # The reader went away; there is nobody to tell.
    except OSError as error:
        code = _say(_no_output(error), InputRefusedError.exit_code)
    return code


def _refusal(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit code."""
    if isinstance(error, LowlandError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return _refused_by_system(error), InputRefusedError.exit_code
    if isinstance(error, UnicodeEncodeError) and is_bytes(error.object):
        return not_utf8("A name or path", word_around(error)), InputRefusedError.exit_code
    if (
        isinstance(error, ModuleNotFoundError)
        and error.name
        and error.name.partition(".")[0] != "lowland_gis"
    ):
        return _not_installed(error.name), UsageError.exit_code
    return _own_fault(error), OWN_FAULT


def _not_installed(module: str) -> str:
    """Say what to type where the program is newer than the environment that it runs in, as after a `git pull`."""
    return (
        f"The Python package {module.partition('.')[0]} is not installed, so the command stopped: the program is newer than its"
        " environment. Type, in the folder of the program: make setup – or where it was installed by pip: pip install --upgrade"
        " lowland_gis"
    )


def _refused_by_system(error: OSError) -> str:
    place = error.filename if isinstance(error.filename, str) else "a file or the terminal"
    return (
        f"{place}: cannot be read or written ({error.strerror or error}), so the command stopped."
        " Check the path, its rights and the disk, and try again."
    )


def _no_output(error: OSError) -> str:
    return (
        f"Standard output cannot be written ({error.strerror or error}), so what the command prints is lost; what it did is done."
        " Check the disk, or name a file: lowland … > FILE"
    )


def _own_fault(error: Exception) -> str:
    said = (str(error).splitlines() or [""])[0]
    return (
        f"lowland failed where it should not ({type(error).__name__}: {said}); the open transaction was rolled back."
        " Please report it with what this says: lowland --debug …"
    )


def _terminated(*_: object) -> None:
    # SystemExit unwinds every open transaction, so that nothing is left half-done.
    sys.exit(143)


def _say(text: str, code: int) -> int:
    warn(f"Error: {text}")
    return code
