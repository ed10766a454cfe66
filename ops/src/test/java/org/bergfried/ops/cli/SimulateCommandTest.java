package org.bergfried.ops.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SimulateCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path folder = Path.of("");

    @Test
    void answersALineOfJsonPerCase() throws IOException {
        int exit = simulate("""
                {"kind": "k", "weight": [[30, 10, 20, 40]], "replicas": 4, "groups": 1, "nodes": 1, "gpus": 2}

                {"weight": [[8, 2], [5, 5]], "replicas": 4, "groups": 1, "nodes": 1, "gpus": 2}
                """);
        assertEquals("", text(err));
        assertEquals("""
                {"phy2log":[[1,3,0,2]],"balance":1.0}
                {"phy2log":[[0,1,0,1],[0,1,0,1]],"balance":1.0}
                """, text(out));
        assertEquals(0, exit);
    }

    @Test
    void namesTheLineThatIsNoCase() throws IOException {
        int exit = simulate("{\"weight\": [[1, 2]], \"replicas\": 2, \"groups\": 1, \"nodes\": 1}\n");
        assertEquals(BergfriedMain.FAILED, exit);
        assertEquals("", text(out));
        String start = "bergfried: line 1 of " + folder.resolve("cases.jsonl") + " is no case: ";
        assertTrue(text(err).startsWith(start) && text(err).contains("gpus"), text(err));
    }

    @Test
    void namesTheLineWhoseSlotsDoNotDivide() throws IOException {
        int exit = simulate("{\"weight\": [[1, 2, 3]], \"replicas\": 3, \"groups\": 1, \"nodes\": 1, \"gpus\": 2}\n");
        assertEquals(BergfriedMain.FAILED, exit);
        assertEquals(
                "bergfried: line 1 of " + folder.resolve("cases.jsonl")
                        + ": 3 replicas on 2 workers do not divide evenly or do not fit\n",
                text(err));
    }

    private int simulate(String cases) throws IOException {
        Path file = Files.writeString(folder.resolve("cases.jsonl"), cases);
        return new CommandRun(folder, out, err).run("placement", "simulate", "--cases", file.toString());
    }

    private static String text(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8);
    }
}
