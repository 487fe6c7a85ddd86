"""The `flywheel` command: a file for each group of commands, imported when it is called."""

from __future__ import annotations

import difflib
import importlib
import keyword
import sys
from typing import Any

import click

COMMANDS = {
    "refresh": ("flows.commands.refresh", "Pull new logs, distil, gate and publish: one turn of the wheel."),
    "synthesize": ("flows.commands.synthesize", "Make data from seeds, topics, documents or datasets, without logs."),
    "specialist": ("flows.commands.synthesize", "Make RAG, tool, long-context, complex and multi-turn data."),
    "techniques": ("flows.commands.techniques", "The techniques that a recipe can chain."),
    "try": (
        "flows.commands.trying",
        "Run a technique on a record and see all that is said; compare prompts and models.",
    ),
    "versions": ("flows.commands.versions", "The versions of a dataset, and which is in force."),
    "show": ("flows.commands.versions", "What is in a version: splits, languages, task types, gates, ledger."),
    "diff": ("flows.commands.versions", "Rows added, removed and changed from one version to another."),
    "trace": ("flows.commands.trust", "A row's log rows, prompts as sent, calls and verdicts."),
    "verify": ("flows.commands.trust", "Checksums, schema, ids, ledgers and leaks; exit code 1 for findings."),
    "export": ("flows.commands.export", "A version's rows as OpenAI, ShareGPT, Alpaca or ms-swift files."),
    "gates": ("flows.commands.gates", "What the gates found, by how much, and in which rows."),
    "rollback": ("flows.commands.versions", "Go on from an older version."),
    "increments": ("flows.commands.versions", "What each run read, and what came of it."),
    "calls": ("flows.commands.calls", "What was asked of models, what it cost, and how to forget it."),
    "doctor": ("flows.commands.doctor", "Is all there that a run needs, and does the model answer?"),
    "ui": ("flows.commands.ui", "The Prefect UI with our deployments and a worker, on loopback."),
    "deploy": ("flows.commands.deploy", "Register our deployments on a Prefect server that stays."),
}


class Lazy(click.Group):
    """Lists commands without importing them, so that --help takes no time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        return getattr(module, f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {near[0]}" if near else f"the commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def flywheel() -> None:
    """User logs in, versioned training data out, week after week.

    Try it without key or network: flywheel refresh --recipe deployments/recipes/samples.yaml
    """


def main() -> None:
    """The entry point: one sentence on stderr for what is wrong, exit code 2 for usage and 130 for Ctrl-C."""
    try:
        sys.exit(ended())
    except (KeyboardInterrupt, click.Abort):  # also before the command has begun
        click.echo("flywheel: interrupted", err=True)
        sys.exit(130)


def ended() -> int:
    """Run the command; gives the exit code."""
    from flows.commands.ending import end, usage

    try:
        result: Any = flywheel.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        return 0
    except click.ClickException as fault:
        return end(usage(fault), "--json" in sys.argv)
    return result if isinstance(result, int) else 0
