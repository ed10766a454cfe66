package org.bergfried.ops.cli;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Starts routers and workers as processes of their own, each with its config and log file in the data directory.
///
/// An attached process ends by itself when the pipe to its standard input closes, so nothing outlives the
/// supervisor, however that dies. Each process gets a session of its own: a Ctrl-C in the terminal reaches the
/// supervisor only, which then ends the others in order.
///
/// @param pinned whether each worker gets one core, the first one the first.
record ProcessStarter(Surroundings surroundings, Path dataDirectory, boolean attached, boolean pinned) {
    /// Starts a member; its config file must be there.
    Process start(ClusterState.Member member) {
        Path log = logFile(dataDirectory, member.id());
        try {
            Files.createDirectories(log.getParent());
            var builder = new ProcessBuilder(command(member));
            builder.environment().remove("BERGFRIED_API_KEY"); // the chat's
            return builder.directory(dataDirectory.toFile())
                    .redirectInput(attached ? Redirect.PIPE : Redirect.from(new java.io.File("/dev/null")))
                    .redirectErrorStream(true)
                    .redirectOutput(Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException e) {
            throw new CommandFailure("cannot start " + member.id() + ": " + e.getMessage(), e);
        }
    }

    static Path logFile(Path dataDirectory, String id) {
        return dataDirectory.resolve("logs").resolve(id + ".log");
    }

    static Path configFile(Path dataDirectory, String id) {
        return dataDirectory.resolve("config").resolve(id + ".yaml");
    }

    private List<String> command(ClusterState.Member member) {
        List<String> command = new ArrayList<>();
        command.add("setsid");
        if (pinned && member.role().equals("worker")) {
            int number = Integer.parseInt(member.id().replaceAll("\\D", ""));
            command.addAll(List.of("taskset", "--cpu-list", Integer.toString(number - 1)));
        }
        command.add(surroundings.java().toString());
        command.add("@" + surroundings.home().resolve(member.role()).resolve("jvm.options"));
        command.add("-XX:SharedArchiveFile=" + surroundings.home().resolve(member.role() + ".jsa"));
        if (member.id().equals("router") || member.id().equals("worker-1")) {
            command.add("-XX:+AutoCreateSharedArchive"); // one writer for each archive
        }
        command.add("-Xlog:disable");
        command.add("-Xlog:all=error:stderr");
        command.add("-cp");
        command.add(surroundings.classPath());
        command.add(
                member.role().equals("router") ? "org.bergfried.router.RouterMain" : "org.bergfried.worker.WorkerMain");
        command.add("--config");
        command.add(configFile(dataDirectory, member.id()).toString());
        if (attached) {
            command.add("--parent-pipe");
        }
        return command;
    }
}
