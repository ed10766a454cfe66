package org.bergfried.ops.verify;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Who may know whom, for the packages below a root, so that the same rules can be tried on planted classes.
final class Boundaries {
    private static final String[] DECISIONS = {
        "router.home..", "router.failover..", "router.placement..", "worker.batch..", "worker.dispatch.."
    };

    private final String root;

    Boundaries(String root) {
        this.root = root;
    }

    /// Every rule by a short name.
    Map<String, ArchRule> all() {
        Map<String, ArchRule> rules = new TreeMap<>();
        rules.put("the router does not know the worker", apart("router..", "worker..", "ops.."));
        rules.put("the worker does not know the router", apart("worker..", "router..", "ops.."));
        rules.put("the contract knows no process", apart("contract..", "router..", "worker..", "ops.."));
        rules.put("JCuda only in worker.kernel.cuda", only("jcuda..", in("worker.kernel.cuda..")));
        rules.put(
                "Vector API only in worker.kernel.vector",
                only("jdk.incubator.vector..", in("worker.kernel.vector..")));
        rules.put(
                "Vert.x only in router.api.http and router.console",
                only("io.vertx..", in("router.api.http..", "router.console..")));
        rules.put("gRPC only at the edges", only("io.grpc..", mayKnowGrpc()));
        rules.put(
                "Hazelcast only behind the interfaces of contract.cluster",
                only("com.hazelcast..", mayKnowHazelcast()));
        rules.put("decisions know no input, output, clock or luck", decisions());
        rules.put(
                "no package cycles", slices().matching(root + ".(**)").should().beFreeOfCycles());
        return rules;
    }

    private ArchRule apart(String from, String... to) {
        return noClasses().that(in(from)).should().dependOnClassesThat(in(to)).allowEmptyShould(true);
    }

    private ArchRule only(String library, DescribedPredicate<JavaClass> allowed) {
        return noClasses()
                .that(DescribedPredicate.not(allowed))
                .should()
                .dependOnClassesThat(resideInAnyPackage(library))
                .allowEmptyShould(true);
    }

    /// The edges, the stubs that the protos become, and the processes' Mains, which start the servers. Tools are
    /// clients.
    private DescribedPredicate<JavaClass> mayKnowGrpc() {
        DescribedPredicate<JavaClass> isMain = DescribedPredicate.describe(
                "Main", type -> type.getName().replaceAll("\\$.*", "").endsWith("Main"));
        return in(
                        "router.api..",
                        "worker.api..",
                        "router.client..",
                        "worker.client..",
                        "contract.tls..",
                        "contract.rpc..")
                .or(in("proto..", "ops.."))
                .or(isMain);
    }

    private DescribedPredicate<JavaClass> mayKnowHazelcast() {
        DescribedPredicate<JavaClass> isImplementation = DescribedPredicate.describe(
                "Hazelcast...",
                type -> type.getName()
                        .substring(type.getPackageName().length() + 1)
                        .startsWith("Hazelcast"));
        return resideInAPackage(root + ".contract.cluster").and(isImplementation);
    }

    private ArchRule decisions() {
        DescribedPredicate<JavaClass> isOutside = DescribedPredicate.describe(
                "input, output, clocks and luck",
                type -> type.getPackageName().startsWith("java.net")
                        || type.getPackageName().startsWith("java.nio.file")
                        || type.getPackageName().startsWith("java.nio.channels")
                        || type.getName().matches("java\\.io\\.(?!Serializable$).*")
                        || type.getName().startsWith("java.util.random.RandomGeneratorFactory")
                        || type.getName()
                                .matches("java\\.util\\.(Random|SplittableRandom|concurrent\\.ThreadLocalRandom)")
                        || type.getName().matches("java\\.security\\.SecureRandom|java\\.time\\.(Clock|Instant)")
                        || type.getName().equals(root + ".contract.SystemClock"));
        return noClasses()
                .that(in(DECISIONS))
                .should()
                .dependOnClassesThat(isOutside)
                .allowEmptyShould(true);
    }

    private DescribedPredicate<JavaClass> in(String... packages) {
        return resideInAnyPackage(
                Stream.of(packages).map(name -> root + "." + name).toArray(String[]::new));
    }
}
