package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Which node each group of experts lives on, where groups divide evenly over nodes: a token reaches experts of few
/// groups, so it then reaches few nodes.
final class GroupHomes {
    private final LayerProblem problem;
    private final boolean[] placed;
    private final int groups;
    private final int groupSize;

    /// @param placed `[experts * workers]` what is where now: among equals, a group stays where it is.
    GroupHomes(LayerProblem problem, boolean[] placed) {
        this.problem = problem;
        this.placed = placed;
        this.groups = problem.expertGroups();
        this.groupSize = problem.experts() / groups;
    }

    /// Whether every node can have the same number of groups.
    boolean isPossible() {
        if (problem.nodeCount() < 2 || groups % problem.nodeCount() != 0) {
            return false;
        }
        int[] room = new int[problem.nodeCount()];
        for (int worker = 0; worker < problem.workers(); worker++) {
            room[problem.node()[worker]] += problem.slots()[worker];
        }
        return Arrays.stream(room).allMatch(slots -> slots >= groupsPerNode() * groupSize);
    }

    private int groupsPerNode() {
        return groups / problem.nodeCount();
    }

    /// The home of each expert, heaviest groups first to the node that is done soonest, as EPLB does.
    ///
    /// @return `[experts]`, or nothing if pins want one group on two nodes or too many groups on one.
    Optional<int[]> pack() {
        double[] load = new double[groups];
        for (int expert = 0; expert < problem.experts(); expert++) {
            load[expert / groupSize] += problem.load()[expert];
        }
        int[] homeOfGroup = pinnedHomes();
        int[] taken = new int[problem.nodeCount()];
        double[] nodeLoad = new double[problem.nodeCount()];
        double[] nodeSpeed = nodeSpeed();
        for (int group = 0; group < groups; group++) {
            if (homeOfGroup[group] == Integer.MIN_VALUE) {
                return Optional.empty();
            }
            if (homeOfGroup[group] >= 0) {
                taken[homeOfGroup[group]]++;
                nodeLoad[homeOfGroup[group]] += load[group];
            }
        }
        if (Arrays.stream(taken).anyMatch(count -> count > groupsPerNode())) {
            return Optional.empty();
        }
        IntStream.range(0, groups)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer group) -> -load[group]))
                .filter(group -> homeOfGroup[group] == LayerTable.NONE)
                .forEach(group -> {
                    int best = LayerTable.NONE;
                    for (int node = 0; node < taken.length; node++) {
                        if (taken[node] < groupsPerNode()
                                && (best == LayerTable.NONE
                                        || (nodeLoad[node] + load[group]) / nodeSpeed[node]
                                                < (nodeLoad[best] + load[group]) / nodeSpeed[best])) {
                            best = node;
                        }
                    }
                    homeOfGroup[group] = best;
                    taken[best]++;
                    nodeLoad[best] += load[group];
                });
        return Optional.of(spread(problem.pins().isEmpty() ? relabelled(homeOfGroup) : homeOfGroup));
    }

    private int[] relabelled(int[] homeOfGroup) {
        int[][] common = new int[problem.nodeCount()][problem.nodeCount()];
        for (int cell = 0; cell < placed.length; cell++) {
            if (placed[cell]) {
                int group = cell / problem.workers() / groupSize;
                common[homeOfGroup[group]][problem.node()[cell % problem.workers()]]++;
            }
        }
        int[] nodeOf = Matching.match(common, this::areAlike);
        return Arrays.stream(homeOfGroup).map(home -> nodeOf[home]).toArray();
    }

    /// Whether two nodes have the same speeds and slots, in any order.
    private boolean areAlike(int one, int other) {
        return workersOf(one).equals(workersOf(other));
    }

    private List<String> workersOf(int node) {
        return IntStream.range(0, problem.workers())
                .filter(worker -> problem.node()[worker] == node)
                .mapToObj(worker -> problem.speed()[worker] + " " + problem.slots()[worker])
                .sorted()
                .toList();
    }

    /// The homes that the present table obeys, if it does.
    Optional<int[]> present() {
        int[] homeOfGroup = new int[groups];
        Arrays.fill(homeOfGroup, LayerTable.NONE);
        for (int cell = 0; cell < placed.length; cell++) {
            if (placed[cell]) {
                int group = cell / problem.workers() / groupSize;
                int node = problem.node()[cell % problem.workers()];
                if (homeOfGroup[group] != LayerTable.NONE && homeOfGroup[group] != node) {
                    return Optional.empty();
                }
                homeOfGroup[group] = node;
            }
        }
        int[] taken = new int[problem.nodeCount()];
        for (int node : homeOfGroup) {
            if (node == LayerTable.NONE || ++taken[node] > groupsPerNode()) {
                return Optional.empty();
            }
        }
        return Optional.of(spread(homeOfGroup));
    }

    /// The same homes with two groups exchanged.
    int[] exchanged(int[] home, int oneGroup, int otherGroup) {
        int[] exchanged = home.clone();
        Arrays.fill(exchanged, oneGroup * groupSize, (oneGroup + 1) * groupSize, home[otherGroup * groupSize]);
        Arrays.fill(exchanged, otherGroup * groupSize, (otherGroup + 1) * groupSize, home[oneGroup * groupSize]);
        return exchanged;
    }

    /// The groups of a node.
    int[] groupsOf(int[] home, int node) {
        return IntStream.range(0, groups)
                .filter(group -> home[group * groupSize] == node)
                .toArray();
    }

    /// Rows of a group.
    double load(int group) {
        double load = 0;
        for (int expert = group * groupSize; expert < (group + 1) * groupSize; expert++) {
            load += problem.load()[expert];
        }
        return load;
    }

    /// Rows per second of each node's workers that have room.
    double[] nodeSpeed() {
        double[] speed = new double[problem.nodeCount()];
        for (int worker = 0; worker < problem.workers(); worker++) {
            speed[problem.node()[worker]] += problem.slots()[worker] > 0 ? problem.speed()[worker] : 0;
        }
        return speed;
    }

    private int[] spread(int[] homeOfGroup) {
        return IntStream.range(0, problem.experts())
                .map(expert -> homeOfGroup[expert / groupSize])
                .toArray();
    }

    /// `[groups]` the node that pins ask for, NONE without pins, MIN_VALUE if they ask for two.
    private int[] pinnedHomes() {
        int[] homeOfGroup = new int[groups];
        Arrays.fill(homeOfGroup, LayerTable.NONE);
        problem.pins().stream().forEach(cell -> {
            int group = cell / problem.workers() / groupSize;
            int node = problem.node()[cell % problem.workers()];
            boolean isOther = homeOfGroup[group] != LayerTable.NONE && homeOfGroup[group] != node;
            homeOfGroup[group] = isOther ? Integer.MIN_VALUE : node;
        });
        return homeOfGroup;
    }
}
