package dev.penstock;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the table of rooms of docs/architecture.md. */
class ArchitectureTest {
    private static final String BASE = "dev.penstock.";

    /** What each room may import beside itself and {@code model}. */
    private static final Map<String, Set<String>> ROOMS = Map.ofEntries(
            Map.entry("api", Set.of("admission", "prompt", "routing", "backend")),
            Map.entry("admission", Set.of("ledger")),
            Map.entry("prompt", Set.of()),
            Map.entry("routing", Set.of("backend", "engine", "hardware")),
            Map.entry("backend", Set.of("engine")),
            Map.entry("engine", Set.of("onnx", "prompt")),
            Map.entry("embed", Set.of("engine", "onnx", "prompt")),
            Map.entry("onnx", Set.of("hardware")),
            Map.entry("weights", Set.of("onnx")),
            Map.entry("hardware", Set.of()),
            Map.entry("ledger", Set.of()),
            Map.entry("model", Set.of()));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.penstock");

    static Stream<String> rooms() {
        return ROOMS.keySet().stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("rooms")
    void aRoomImportsOnlyWhatTheTableAllows(String room) {
        String[] allowed = Stream.concat(Stream.of(room, "model"), ROOMS.getOrDefault(room, Set.of()).stream())
                .map(r -> BASE + r + "..")
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(BASE + room + "..")
                .should()
                .dependOnClassesThat(com.tngtech.archunit.base.DescribedPredicate.describe(
                        "are in other rooms",
                        (JavaClass c) -> c.getPackageName().startsWith(BASE)
                                && Stream.of(allowed)
                                        .noneMatch(a -> com.tngtech.archunit.core.domain.PackageMatcher.of(a)
                                                .matches(c.getPackageName()))))
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    @Test
    void everyPackageIsARoomOfTheTable() {
        Set<String> rooms = CLASSES.stream()
                .map(JavaClass::getPackageName)
                .filter(p -> p.startsWith(BASE))
                .map(p -> p.substring(BASE.length()).split("\\.")[0])
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(rooms)
                .isSubsetOf(
                        Stream.concat(ROOMS.keySet().stream(), Stream.of("ops")).toList());
    }

    @Test
    void roomsHaveNoCycles() {
        slices().matching(BASE + "(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void whatGeneratesKnowsNoContainer() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        BASE + "model..",
                        BASE + "engine..",
                        BASE + "embed..",
                        BASE + "onnx..",
                        BASE + "weights..",
                        BASE + "hardware..",
                        BASE + "routing..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("jakarta..", "io.quarkus..", "io.vertx..", "org.eclipse.microprofile..")
                .check(CLASSES);
    }

    @Test
    void recordsOfModelDependOnTheJdkAlone() {
        classes()
                .that()
                .resideInAPackage(BASE + "model..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", BASE + "model..", "org.jspecify..")
                .check(CLASSES);
    }
}
