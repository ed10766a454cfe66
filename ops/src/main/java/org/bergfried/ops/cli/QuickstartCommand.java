package org.bergfried.ops.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts a router and workers on this machine.
@Command(
        name = "quickstart",
        mixinStandardHelpOptions = true,
        description = {
            "Starts a router and workers on this machine and serves a model: the bundled demo model, or yours.",
            "Runs until Ctrl-C, or detached until `bergfried stop`."
        })
final class QuickstartCommand implements Callable<Integer> {
    private static final int WORKERS_MAX = 64;

    private final Surroundings surroundings;

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "A model directory or GGUF file (default: the bundled demo model).")
    private @Nullable Path model;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "2",
            description = "Worker processes, 1 to 64 (default: ${DEFAULT-VALUE}).")
    private int workers;

    @Option(
            names = "--http",
            paramLabel = "H:P",
            defaultValue = "127.0.0.1:8080",
            description = "The router's HTTP address, loopback only (default: ${DEFAULT-VALUE}).")
    private String http = "";

    @Option(
            names = "--grpc",
            paramLabel = "H:P",
            defaultValue = "127.0.0.1:9090",
            description = "The router's gRPC address, loopback only (default: ${DEFAULT-VALUE}).")
    private String grpc = "";

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Configuration, key, logs and state (default: bergfried/quickstart under $XDG_STATE_HOME).")
    private @Nullable Path data;

    @Option(names = "--detach", description = "Returns when everything is ready and leaves it running.")
    private boolean detach;

    @Option(
            names = "--restart",
            paramLabel = "ID",
            description = "Starts a killed process again; does nothing if it lives.")
    private @Nullable String restart;

    QuickstartCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        Path directory = surroundings.dataDirectory(data);
        var cluster = new LocalCluster(surroundings, directory);
        ClusterState earlier = ClusterState.read(directory);
        if (restart != null) {
            return restart(cluster, earlier, restart, directory);
        }
        if (earlier != null && !earlier.living().isEmpty()) {
            throw new CommandFailure("already running from " + directory + " and serving " + earlier.model() + " at "
                    + earlier.http() + "; stop it with `bergfried stop`, or choose another --data");
        }
        if (workers < 1 || workers > WORKERS_MAX) {
            throw new CommandFailure("--workers " + workers + " is not between 1 and " + WORKERS_MAX);
        }
        Path served = model == null
                ? surroundings.demoModel()
                : model.toAbsolutePath().normalize();
        if (!Files.exists(served)) {
            throw new CommandFailure("--model " + served + " does not exist");
        }
        String name = Quickstart.servedName(served, surroundings);
        var plan = new Quickstart(served, workers, loopback("--http", http), loopback("--grpc", grpc));
        surroundings
                .err()
                .println("Starting a router and " + workers + (workers == 1 ? " worker" : " workers") + " for " + name
                        + " ...");
        ClusterState laid = plan.lay(directory, name);
        return detach ? runDetached(cluster, laid, directory) : runAttached(cluster, laid, directory);
    }

    private int runDetached(LocalCluster cluster, ClusterState laid, Path directory) {
        ClusterState state = cluster.start(laid, false);
        var giveUp = Thread.ofPlatform().unstarted(() -> cluster.stop(state));
        Runtime.getRuntime().addShutdownHook(giveUp); // for a failure or a Ctrl-C while it starts
        cluster.awaitReady(state);
        Runtime.getRuntime().removeShutdownHook(giveUp);
        describe(state, directory, "stop it with `ops/bergfried stop" + option(directory) + "`");
        return 0;
    }

    private int runAttached(LocalCluster cluster, ClusterState laid, Path directory) {
        ClusterState state = cluster.start(laid, true);
        var ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
            surroundings.err().println("\nStopping ...");
            cluster.stop(Objects.requireNonNullElse(ClusterState.read(directory), state));
            ended.countDown();
        }));
        cluster.awaitReady(state);
        describe(state, directory, "stop it with Ctrl-C");
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    private int restart(LocalCluster cluster, @Nullable ClusterState state, String id, Path directory) {
        if (state == null) {
            throw new CommandFailure("nothing was started from " + directory);
        }
        ClusterState.Member member = state.member(id)
                .orElseThrow(() -> new CommandFailure("no process " + id + "; there are "
                        + String.join(
                                ", ",
                                state.processes().stream()
                                        .map(ClusterState.Member::id)
                                        .toList())));
        if (member.process().isPresent()) {
            surroundings.err().println(id + " is alive (pid " + member.pid() + "): nothing to do");
            return 0;
        }
        ClusterState newer = cluster.restart(state, member);
        surroundings
                .err()
                .println(id + " started again (pid "
                        + newer.member(id).orElseThrow().pid() + ")");
        return 0;
    }

    private void describe(ClusterState state, Path directory, String ending) {
        var out = surroundings.out();
        String ask = "What is the capital of Kenya?";
        out.println();
        out.println("Serving " + state.model());
        out.println("  HTTP     " + state.http() + "/v1   (OpenAI-compatible)");
        out.println("  gRPC     " + state.grpc() + "   (bergfried.inference.v1.InferenceService, with reflection)");
        out.println("  Console  " + state.http() + "/console/   (workers, expert map, playground)");
        out.println();
        out.println("Try it:");
        out.println("  ops/bergfried chat" + option(directory) + " \"" + ask + "\"");
        out.println("  curl -s " + state.http() + "/v1/chat/completions -H 'Content-Type: application/json' \\");
        out.println("    -d '{\"model\": \"" + state.model() + "\", \"messages\": [{\"role\": \"user\", \"content\": \""
                + ask + "\"}]}'");
        out.println();
        out.println("Logs and state are in " + directory + "; " + ending + ".");
    }

    private String option(Path directory) {
        return directory.equals(surroundings.dataDirectory(null)) ? "" : " --data " + directory;
    }

    private static InetSocketAddress loopback(String option, String text) {
        int colon = text.lastIndexOf(':');
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            String host = colon <= 0 ? "127.0.0.1" : text.substring(0, colon);
            if (!Arrays.stream(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress)) {
                throw new CommandFailure(option + " " + text
                        + " is not a loopback address; a quickstart has no certificates, so it stays on this machine");
            }
            return new InetSocketAddress(host, port);
        } catch (java.net.UnknownHostException | IllegalArgumentException e) {
            throw new CommandFailure(option + " " + text + " is not HOST:PORT with a port between 0 and 65535", e);
        }
    }
}
