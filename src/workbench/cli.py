"""The command line: `workbench run`, `notebooks`, `lab` and `doctor`. Nothing heavy is imported before it is needed."""

import os
import sys
from pathlib import Path

import click

from workbench import __version__
from workbench.errors import WorkbenchError


class _Plain(click.Group):
    """Turns our own errors into one message and exit code 2, whatever the command."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except WorkbenchError as error:
            click.echo(f"workbench: {error}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo("workbench: stopped; `workbench run … --resume` goes on from here.", err=True)
            sys.exit(130)


@click.group(cls=_Plain)
@click.version_option(__version__, prog_name="workbench")
def main() -> None:
    """Prepare data, train recipes, compare them honestly, and show what they earned."""


@main.command()
@click.argument("names", nargs=-1)
@click.option("-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Set a notebook's parameter.")
@click.option(
    "--workspace", type=click.Path(path_type=Path), help="Datasets and models. Default: workspace/ beside notebooks/."
)
@click.option(
    "--reports", type=click.Path(path_type=Path), help="Where reports go. Default: reports/ beside notebooks/."
)
@click.option("--resume", is_flag=True, help="Go on in the newest run of this sheet, after a failure.")
@click.option("--single-file", is_flag=True, help="Also write one self-contained page, report.html.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
def run(
    names: tuple[str, ...],
    pairs: tuple[str, ...],
    workspace: Path | None,
    reports: Path | None,
    resume: bool,
    single_file: bool,
    no_progress: bool,
) -> None:
    """Run a sheet (`workbench run movielens`) or notebooks by number (`workbench run 10 20 -p recipe=sims`).

    Without a name the sheet `movielens` runs. `workbench notebooks` lists what there is.
    """
    from workbench import runs, runs_parameters, runs_sheets

    folder = runs_sheets.notebooks_folder()
    sheet = runs_sheets.plan(folder, names or ("movielens",), runs_parameters.read_assignments(pairs))
    home = workspace or Path(os.environ.get("WORKBENCH_HOME") or folder.parent / "workspace")
    done = runs.run(
        sheet,
        workspace=home.resolve(),
        reports=(reports or folder.parent / "reports").resolve(),
        resume=resume,
        single_file=single_file,
        progress=not no_progress,
    )
    if done.failure:
        click.echo(f"workbench: {done.failure.name} failed: {done.failure.error}", err=True)
        click.echo(f"Its executed copy marks the failing cell: {done.folder / done.failure.name}.ipynb", err=True)
        click.echo("After mending, add --resume to go on from there.", err=True)
    click.echo(f"Report: {done.index}")
    if single_file:
        click.echo(f"One page: {done.folder / 'report.html'}")
    sys.exit(runs.exit_code(done))


@main.command()
@click.argument("names", nargs=-1)
def notebooks(names: tuple[str, ...]) -> None:
    """List the notebooks and run sheets; with a name or number, explain its parameters."""
    from workbench import runs_parameters, runs_sheets

    folder = runs_sheets.notebooks_folder()
    paths = [runs_sheets.find_notebook(folder, name) for name in names] or sorted(folder.glob("*.ipynb"))
    for path in paths:
        notebook = runs_parameters.inspect(path)
        click.echo(f"{notebook.name}  {notebook.title}")
        for each in notebook.parameters.values():
            click.echo(f"    {each.name}: {each.type} = {each.default}" + (f"  # {each.help}" if each.help else ""))
    if not names:
        click.echo(f"Run sheets: {', '.join(runs_sheets.sheet_names(folder)) or 'none'}")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def lab(options: tuple[str, ...]) -> None:
    """Open JupyterLab in the notebooks folder; options go to jupyter lab."""
    from workbench import runs_sheets

    os.chdir(runs_sheets.notebooks_folder())
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *options])


@main.command()
def doctor() -> None:
    """Say which versions, disk, memory and GPU are there, what is missing and how to get it."""
    from workbench import runs_doctor

    findings = runs_doctor.examine(Path.cwd())
    for finding in findings:
        click.echo(f"{'ok ' if finding.ok else 'no '} {finding.what}: {finding.found}")
        if finding.remedy:
            click.echo(f"      {finding.remedy}")
    sys.exit(0 if all(each.ok or each.optional for each in findings) else 1)
