package org.bergfried.ops.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// The processes of a quickstart, as they are kept in its data directory.
///
/// @param model     the served name.
/// @param http      the router's base URL.
/// @param grpc      the router's gRPC address, `host:port`.
/// @param processes the router first, then the workers.
record ClusterState(String model, String http, String grpc, List<Member> processes) {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String FILE = "state.json";
    private static final int START_FIELD = 22 - 3; // counted from the third field, the first after the name

    ClusterState {
        processes = List.copyOf(processes);
    }

    /// One process. A pid alone could be another program's by now, so the start time goes with it.
    ///
    /// @param role          router or worker.
    /// @param id            its name in the cluster, also of its config and log file.
    /// @param pid           the operating system's process id.
    /// @param startedTicks  when it was started, in the kernel's ticks since boot: no change of the clock moves it.
    /// @param health        base URL of its `/readyz`.
    record Member(String role, String id, long pid, long startedTicks, String health) {
        /// The process, if it is still this very one.
        Optional<ProcessHandle> process() {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .filter(handle -> startOf(handle) == startedTicks);
        }

        /// The same member run by another process.
        Member startedAs(ProcessHandle handle) {
            return new Member(role, id, handle.pid(), startOf(handle), health);
        }

        /// Field 22 of /proc/PID/stat; the name before it may hold anything but ends with the last bracket.
        private static long startOf(ProcessHandle handle) {
            try {
                String stat = Files.readString(Path.of("/proc", String.valueOf(handle.pid()), "stat"));
                return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[START_FIELD]);
            } catch (IOException e) {
                return -1; // it ended meanwhile
            }
        }
    }

    /// The state kept in a data directory, or null if there is none.
    static @Nullable ClusterState read(Path dataDirectory) {
        Path file = dataDirectory.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            return JSON.readValue(Files.readAllBytes(file), ClusterState.class);
        } catch (IOException | JacksonException e) {
            throw new CommandFailure("the state file " + file + " cannot be read; remove it if no process is left", e);
        }
    }

    void write(Path dataDirectory) {
        try {
            Path draft = Files.createTempFile(dataDirectory, "state", ".json");
            Files.write(draft, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
            Files.move(draft, dataDirectory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CommandFailure("cannot write to the data directory " + dataDirectory + ": " + e.getMessage(), e);
        }
    }

    static void remove(Path dataDirectory) {
        try {
            Files.deleteIfExists(dataDirectory.resolve(FILE));
        } catch (IOException e) {
            throw new CommandFailure("cannot remove the state file in " + dataDirectory, e);
        }
    }

    /// Members that are alive.
    List<Member> living() {
        return processes.stream().filter(member -> member.process().isPresent()).toList();
    }

    Optional<Member> member(String id) {
        return processes.stream().filter(member -> member.id().equals(id)).findFirst();
    }

    /// The same state with one member replaced by its newer self.
    ClusterState with(Member newer) {
        List<Member> members = new ArrayList<>(processes);
        members.replaceAll(member -> member.id().equals(newer.id()) ? newer : member);
        return new ClusterState(model, http, grpc, members);
    }
}
