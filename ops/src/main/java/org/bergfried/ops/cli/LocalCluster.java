package org.bergfried.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Starts, watches and ends the processes of a quickstart.
final class LocalCluster {
    private static final Duration START_PATIENCE = Duration.ofMinutes(10);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(45); // running answers may go on for 25 s
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int LOG_LINES = 15;

    private final Surroundings surroundings;
    private final Path dataDirectory;

    LocalCluster(Surroundings surroundings, Path dataDirectory) {
        this.surroundings = surroundings;
        this.dataDirectory = dataDirectory;
    }

    /// Starts every member at once and keeps the state.
    ClusterState start(ClusterState laid, boolean attached) {
        return start(laid, attached, false);
    }

    /// The same.
    ///
    /// @param pinned whether each worker gets one core, the first one the first.
    ClusterState start(ClusterState laid, boolean attached, boolean pinned) {
        var starter = new ProcessStarter(surroundings, dataDirectory, attached, pinned);
        List<ClusterState.Member> started = new ArrayList<>();
        try {
            for (ClusterState.Member member : laid.processes()) {
                started.add(member.startedAs(starter.start(member).toHandle()));
            }
            var state = new ClusterState(laid.model(), laid.http(), laid.grpc(), started);
            state.write(dataDirectory);
            return state;
        } catch (CommandFailure failure) {
            started.forEach(member -> member.process().ifPresent(ProcessHandle::destroyForcibly));
            throw failure;
        }
    }

    /// Starts one member again, detached.
    ClusterState restart(ClusterState state, ClusterState.Member member) {
        var starter = new ProcessStarter(surroundings, dataDirectory, false, false);
        ClusterState newer = state.with(member.startedAs(starter.start(member).toHandle()));
        newer.write(dataDirectory);
        return newer;
    }

    /// Waits until every member is ready, telling of each; fails as soon as one has died, with the end of its log.
    void awaitReady(ClusterState state) {
        long begin = surroundings.clock().nanoTime();
        Map<String, ClusterState.Member> waiting = new LinkedHashMap<>();
        state.processes().forEach(member -> waiting.put(member.id(), member));
        try (var health = new HealthClient()) {
            while (!waiting.isEmpty()) {
                Duration elapsed = Duration.ofNanos(surroundings.clock().nanoTime() - begin);
                var answers = health.ready(state);
                for (ClusterState.Member member : List.copyOf(waiting.values())) {
                    if (Boolean.TRUE.equals(answers.get(member.id()))) {
                        waiting.remove(member.id());
                        surroundings
                                .err()
                                .printf("  %-10s ready after %.1f s%n", member.id(), elapsed.toMillis() / 1000.0);
                    } else if (member.process().isEmpty()) {
                        throw new CommandFailure(member.id() + " ended while it started; the end of "
                                + ProcessStarter.logFile(dataDirectory, member.id()) + ":\n" + logTail(member));
                    }
                }
                if (elapsed.compareTo(START_PATIENCE) > 0) {
                    throw new CommandFailure(
                            String.join(", ", waiting.keySet()) + " not ready after " + START_PATIENCE.toMinutes()
                                    + " minutes; see the logs in " + dataDirectory.resolve("logs"));
                }
                pause(waiting.values());
            }
        }
    }

    /// Ends every member: a request to end, then, for those that do not, the hard way. Returns how many had to be
    /// killed.
    int stop(ClusterState state) {
        List<ProcessHandle> handles = state.processes().stream()
                .flatMap(member -> member.process().stream())
                .toList();
        handles.forEach(ProcessHandle::destroy);
        int killed = 0;
        long end = surroundings.clock().nanoTime() + STOP_PATIENCE.toNanos();
        for (ProcessHandle handle : handles) {
            if (!ended(handle, end - surroundings.clock().nanoTime()) && handle.destroyForcibly()) {
                ended(handle, STOP_PATIENCE.toNanos());
                killed++;
            }
        }
        ClusterState.remove(dataDirectory);
        return killed;
    }

    private static boolean ended(ProcessHandle handle, long nanos) {
        try {
            handle.onExit().get(Math.max(nanos, 0), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// Waits for the poll interval, or for the first process to end.
    private static void pause(Iterable<ClusterState.Member> members) {
        List<CompletableFuture<ProcessHandle>> ends = new ArrayList<>();
        members.forEach(member -> member.process().ifPresent(handle -> ends.add(handle.onExit())));
        try {
            CompletableFuture.anyOf(ends.toArray(CompletableFuture[]::new)).get(POLL.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return; // all still live: look again
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted", e);
        }
    }

    private String logTail(ClusterState.Member member) {
        try {
            List<String> lines = Files.readAllLines(ProcessStarter.logFile(dataDirectory, member.id()));
            return "    " + String.join("\n    ", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
        } catch (IOException e) {
            return "    (no log)";
        }
    }
}
