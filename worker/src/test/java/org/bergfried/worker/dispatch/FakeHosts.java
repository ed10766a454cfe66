package org.bergfried.worker.dispatch;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bergfried.contract.cluster.Placement;
import org.jspecify.annotations.Nullable;

/// Hosts that only write down what they are sent.
class FakeHosts implements Hosts {
    final TreeSet<String> ready = new TreeSet<>();
    final List<Part> sent = new ArrayList<>();
    final List<String> suspected = new ArrayList<>();
    final Map<String, Integer> room = new HashMap<>();
    int frameRowsMax = 1000;

    @Nullable
    Placement newest;

    FakeHosts(String... hosts) {
        ready.addAll(List.of(hosts));
    }

    /// The parts sent since the last call.
    List<Part> takeSent() {
        var taken = List.copyOf(sent);
        sent.clear();
        return taken;
    }

    @Override
    public List<String> ready() {
        return List.copyOf(ready);
    }

    @Override
    public boolean isReady(String host) {
        return ready.contains(host);
    }

    @Override
    public int frameRowsMax(String host) {
        return frameRowsMax;
    }

    @Override
    public int room(String host) {
        return room.getOrDefault(host, Integer.MAX_VALUE);
    }

    @Override
    public @Nullable Placement newestPlacement() {
        return newest;
    }

    @Override
    public boolean send(Part part, long nowNanos) {
        sent.add(part);
        room.computeIfPresent(part.host, (host, rows) -> rows - part.rowCount());
        return true;
    }

    @Override
    public void suspect(String host, String why) {
        suspected.add(host);
        ready.remove(host);
    }
}
