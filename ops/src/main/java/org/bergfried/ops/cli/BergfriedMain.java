package org.bergfried.ops.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.SystemClock;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The `bergfried` command.
public final class BergfriedMain {
    /// The command was understood and could not be done.
    static final int FAILED = 1;

    /// The command line is wrong (`EX_USAGE`).
    static final int USAGE = 64;

    private static final int HELP_WIDTH = 110;

    private BergfriedMain() {}

    @Command(
            name = "bergfried",
            version = "Bergfried 0.1.0",
            description =
                    "An inference cluster for open mixture-of-experts models that keeps your data on your servers.",
            footerHeading = "%nFirst steps:%n",
            footer = {
                "  ops/bergfried quickstart                                  a router, two workers, the demo model",
                "  ops/bergfried chat \"What is the capital of Kenya?\"         ask it",
                "  ops/bergfried test                                        install what tests need and run them"
            },
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {
                " 0:done",
                " 1:it could not be done; the message says why",
                "64:the command line is wrong",
                "69:something is missing on this machine (launcher)",
                "70:the build failed (launcher)"
            })
    static final class Root extends CommandGroup {}

    /// Runs a command and ends the process with its exit code.
    public static void main(String[] arguments) {
        var surroundings = new Surroundings(
                System.getenv(),
                Path.of(System.getProperty("bergfried.home", ".")),
                Path.of(System.getProperty("java.home"), "bin", "java"),
                new SystemClock(),
                new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
        System.exit(commandLine(surroundings).execute(arguments));
    }

    static CommandLine commandLine(Surroundings surroundings) {
        var line = new CommandLine(new Root())
                .addSubcommand(new QuickstartCommand(surroundings))
                .addSubcommand(new StatusCommand(surroundings))
                .addSubcommand(new StopCommand(surroundings))
                .addSubcommand(new ChatCommand(surroundings))
                .addSubcommand(new CommandLine(new ModelCommand())
                        .addSubcommand(new LogitsCommand(surroundings))
                        .addSubcommand(new TokenizeCommand(surroundings))
                        .addSubcommand(new RenderCommand(surroundings))
                        .addSubcommand(new InspectCommand(surroundings))
                        .addSubcommand(new ManifestCommand(surroundings))
                        .addSubcommand(new VerifyCommand(surroundings)))
                .addSubcommand(placement(surroundings))
                .addSubcommand(new CommandLine(new ClusterCommand())
                        .addSubcommand(new ClusterStatusCommand(surroundings))
                        .addSubcommand(new DrainCommand(surroundings))
                        .addSubcommand(new UndrainCommand(surroundings)))
                .addSubcommand(new CommandLine(new DeviceCommand())
                        .addSubcommand(new DeviceListCommand(surroundings))
                        .addSubcommand(new DeviceCheckCommand(surroundings)))
                .addSubcommand(new CommandLine(new BenchCommand(surroundings))
                        .addSubcommand(new PlannerBenchCommand(surroundings)))
                .addSubcommand(new WorkerCommand())
                .addSubcommand(new RouterCommand());
        line.setOut(new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8));
        line.setUsageHelpWidth(HELP_WIDTH);
        useExitCodes(line);
        line.setExecutionExceptionHandler((failure, command, parsed) -> report(failure, surroundings));
        return line;
    }

    private static CommandLine placement(Surroundings surroundings) {
        return new CommandLine(new PlacementCommand())
                .addSubcommand(new PlacementShowCommand(surroundings))
                .addSubcommand(new PlacementLoadCommand(surroundings))
                .addSubcommand(new PlacementPlanCommand(surroundings))
                .addSubcommand(new PlacementApplyCommand(surroundings))
                .addSubcommand(new MoveCommand(surroundings))
                .addSubcommand(new ReplicateCommand(surroundings))
                .addSubcommand(new EvictCommand(surroundings))
                .addSubcommand(new PinCommand(surroundings))
                .addSubcommand(new UnpinCommand(surroundings))
                .addSubcommand(new BanCommand(surroundings))
                .addSubcommand(new UnbanCommand(surroundings))
                .addSubcommand(new SimulateCommand(surroundings));
    }

    private static void useExitCodes(CommandLine line) {
        line.getCommandSpec().exitCodeOnInvalidInput(USAGE).exitCodeOnExecutionException(FAILED);
        line.getSubcommands().values().forEach(BergfriedMain::useExitCodes);
    }

    private static int report(Exception failure, Surroundings surroundings) throws Exception {
        switch (failure) {
            case CommandFailure known -> surroundings.err().println("bergfried: " + known.getMessage());
            case ClusterException known ->
                surroundings.err().println("bergfried: " + known.reason() + ": " + known.text());
            default -> throw failure;
        }
        return FAILED;
    }
}
