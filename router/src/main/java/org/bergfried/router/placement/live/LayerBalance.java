package org.bergfried.router.placement.live;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.cluster.Placement;

/// How evenly a layer's rows fall on its hosts, if each expert's rows are split evenly over its replicas.
///
/// @param workerRows rows of each of the workers asked for.
/// @param balance mean over fullest: 1 is perfect, 0 means that an expert is unplaced.
/// @param imbalance fullest over mean: 1 is perfect; 0 without load.
public record LayerBalance(double[] workerRows, double balance, double imbalance) {
    /// Copies.
    public LayerBalance {
        workerRows = workerRows.clone();
    }

    /// Of one layer.
    ///
    /// @param row the layer's index in the facts.
    /// @param rows `[facts.expertCount()]` rows of each expert.
    /// @param workerIds the order of the result; all hosts are among them.
    public static LayerBalance of(Placement placement, int row, long[] rows, List<String> workerIds) {
        Map<String, Integer> indexOf = new HashMap<>();
        workerIds.forEach(id -> indexOf.put(id, indexOf.size()));
        double[] workerRows = new double[workerIds.size()];
        boolean isPlaced = true;
        int experts = placement.facts().expertsPerLayer();
        boolean[] isHost = new boolean[workerIds.size()];
        for (int cell = row * experts; cell < (row + 1) * experts; cell++) {
            List<String> hosts = placement.replicaTable().get(cell);
            isPlaced &= !hosts.isEmpty();
            for (String host : hosts) {
                int index = indexOf.getOrDefault(host, -1);
                if (index >= 0) {
                    workerRows[index] += rows[cell] / (double) hosts.size();
                    isHost[index] = true;
                }
            }
        }
        double sum = Arrays.stream(workerRows).sum();
        double peak = Arrays.stream(workerRows).max().orElse(0);
        int hostCount = 0;
        for (boolean host : isHost) {
            hostCount += host ? 1 : 0;
        }
        double mean = hostCount == 0 ? 0 : sum / hostCount;
        double balance = !isPlaced ? 0 : peak == 0 ? 1 : mean / peak;
        return new LayerBalance(workerRows, balance, mean == 0 ? 0 : peak / mean);
    }

    /// The mean imbalance of a placement's layers; 0 without load.
    public static double meanImbalance(Placement placement, long[] rows) {
        int layers = placement.facts().moeLayers().size();
        double sum = 0;
        for (int row = 0; row < layers; row++) {
            sum += of(placement, row, rows, placement.workerIds()).imbalance();
        }
        return layers == 0 ? 0 : sum / layers;
    }
}
