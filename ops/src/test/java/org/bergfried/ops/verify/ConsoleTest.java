package org.bergfried.ops.verify;

import static org.bergfried.ops.verify.ConsoleCluster.CALLER;
import static org.bergfried.ops.verify.ConsoleCluster.OPERATOR;
import static org.bergfried.ops.verify.ConsoleCluster.VIEWER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/// The console in a real browser, against a router with keys and three workers.
@Timeout(300)
final class ConsoleTest {
    private static final List<String> PAGES = List.of("Overview", "Experts", "Generations", "Playground");

    private final ConsoleCluster cluster;
    private final Browser browser;
    private final ConsolePage console;

    ConsoleTest(@TempDir Path folder) throws Exception {
        cluster = new ConsoleCluster(folder);
        browser = new Browser();
        console = new ConsolePage(browser, cluster.url());
    }

    @BeforeAll
    static void findBrowser() {
        Browser.chromium(); // skips or fails once, before anything is started in vain
        Browser.chromedriver();
    }

    @AfterEach
    void closeEverything() throws IOException {
        try (cluster;
                browser) {
            List<String> complaints = browser.complaints().stream()
                    .filter(complaint -> !isRefusedSignIn(complaint))
                    .toList();
            assertEquals(List.of(), complaints);
            List<String> elsewhere = browser.requests().stream()
                    .filter(address -> !address.startsWith(cluster.url() + "/") && !address.startsWith("data:"))
                    .toList();
            assertEquals(List.of(), elsewhere, "nothing is asked of anybody else");
        }
    }

    /// Chromium itself tells of every status that is an error; that of a key without a role is meant.
    private boolean isRefusedSignIn(String complaint) {
        return complaint.startsWith(cluster.url() + "/admin/v1/ClusterService/GetCaller - Failed to load resource")
                && (complaint.contains(" 401 ") || complaint.contains(" 403 "));
    }

    @Test
    void nobodyWithoutARoleSeesAnything() throws IOException {
        console.signIn("wrong-key", "key");
        assertTrue(browser.has("#key"));
        browser.picture("sign-in-wrong-key");
        console.signIn(CALLER, "this call needs VIEWER");
        browser.picture("sign-in");
        browser.open(cluster.url() + "/console/#/experts");
        browser.await("Sign in");
        assertFalse(browser.text().contains("worker-"), browser.text());
        assertFalse(browser.has("#map"));
    }

    @Test
    void aViewerSeesAllAndChangesNothing() throws IOException {
        console.signIn(VIEWER, "worker-3");
        assertFalse(browser.text().contains("Drain"), browser.text());
        console.click("Experts");
        browser.await("placement 1");
        console.clickExpert(1, 0);
        browser.await("#details", "Your key has the role VIEWER; moving experts needs OPERATOR.");
        assertFalse(browser.has("#move"));
        browser.picture("experts-viewer");
        previewByMouse();
        browser.await("#plan-summary", "balance");
        assertFalse(browser.has("#apply"));
        console.click("Playground");
        browser.await("may not ask models");

        Map<String, Object> move = Map.of(
                "layer",
                1,
                "expert",
                0,
                "fromWorkerId",
                cluster.hosts(1, 0).getFirst(),
                "toWorkerId",
                cluster.another(1, 0),
                "reason",
                "a viewer tries");
        assertEquals(
                403, cluster.admin(VIEWER).call("PlacementService/Move", move).status());
        assertEquals(1, cluster.epoch());
    }

    @Test
    void theOverviewShowsWorkersAndTraffic() throws IOException {
        console.signIn(OPERATOR, "worker-3");
        askByMouse();
        console.pictures("playground");
        console.click("Overview");
        for (String head : List.of("State", "Backend", "Expert memory", "Free", "KV in use", "Queued")) {
            browser.await("thead", head);
        }
        browser.await("tbody tr:nth-child(2)", "worker-2");
        browser.await("tbody tr:nth-child(2)", "ready");
        browser.await("tbody tr:nth-child(2)", "16 of 16");
        browser.await("tbody tr:nth-child(2)", " KiB");
        assertTrue(rate("Tokens") > 0, "tokens of the answer are counted");
        assertTrue(rate("Requests") > 0);
        console.pictures("overview");
        console.click("Generations");
        browser.await("1 session kept");
        console.pictures("generations");
    }

    @Test
    void anOperatorMovesReplicatesAndPinsByMouse() throws IOException {
        console.signIn(OPERATOR, "worker-3");
        console.click("Experts");
        String to = cluster.another(2, 5);
        console.clickExpert(2, 5);
        browser.click("#move");
        browser.await("dialog", "Move expert 5 of layer 2");
        console.clickThrough(List.of(to), "closer to its trunk");
        console.clickDone();
        assertEquals(List.of(to), cluster.hosts(2, 5));
        browser.await("#selected", "on " + to);

        console.clickExpert(1, 4);
        browser.click("#replicate");
        console.clickThrough(List.of(), "hot");
        console.clickDone();
        assertEquals(2, cluster.hosts(1, 4).size());

        console.clickExpert(3, 15);
        browser.click("#pin");
        console.clickThrough(cluster.hosts(3, 15), "stays here");
        browser.await("#selected", "; pinned");
        browser.awaitGone("dialog");
        browser.click("input[value='worker']");
        console.pictures("experts-by-worker");
    }

    @Test
    void anOperatorMovesReplicatesAndPinsByKeyboard() throws IOException {
        console.signIn(OPERATOR, "worker-3");
        console.tabTo("Experts");
        browser.await("placement 1");
        String from = cluster.hosts(2, 2).getFirst();
        String to = cluster.another(2, 2);
        console.walkToExpert(2, 2);
        browser.tabTo("#move");
        browser.press(Keys.ENTER);
        browser.await("dialog", "Move expert 2 of layer 2");
        browser.picture("move-dialog");
        console.typeThrough(List.of(from, to), "the keyboard works");
        console.enterDone();
        assertEquals(List.of(to), cluster.hosts(2, 2));
        assertTrue(browser.has("#move:focus"), "the focus is back where it was");
        browser.await("#selected", "on " + to);

        browser.tabTo("#replicate");
        browser.press(Keys.ENTER);
        console.typeThrough(List.of(from), "hot");
        console.enterDone();
        assertEquals(2, cluster.hosts(2, 2).size());

        browser.tabTo("#pin");
        browser.press(Keys.ENTER);
        console.typeThrough(List.of(from), "stays here");
        browser.await("#selected", "; pinned");
        browser.awaitGone("dialog");
        browser.tabTo("#move");
        browser.press(Keys.ENTER);
        browser.press(Keys.ESCAPE);
        browser.awaitGone("dialog");
    }

    @Test
    void aPlanIsPreviewedAndAppliedWithLiveProgress() throws IOException {
        console.signIn(OPERATOR, "worker-3");
        askByMouse();
        console.click("Experts");
        browser.await("imbalance");
        console.clickExpert(1, 12);
        previewByMouse();
        browser.await("#plan-summary", "1 is perfect");
        console.pictures("experts");
        browser.click("#show-target");
        browser.await("the plan's target");
        browser.click("#show-target");
        browser.click("#plan details:last-of-type summary");
        browser.await("#plan", "activate placement 2");
        console.pictures("plan");
        browser.click("#apply");
        watchProgress();
        console.clickThrough(List.of(), "rebalance");
        browser.await("dialog", ": done, ");
        browser.picture("plan-applied");
        assertTrue(stepsSeen() > 1, "the bar has moved: " + stepsSeen());
        console.clickDone();
        assertTrue(cluster.epoch() > 1);
        browser.await("#progress", ": done, ");
        browser.await("placement " + cluster.epoch());
    }

    @Test
    void aPlanIsAppliedAndAModelAskedByKeyboard() {
        console.signIn(OPERATOR, "worker-3");
        console.tabTo("Playground");
        browser.tabTo("#question");
        browser.press("Which city is the capital of Uganda?", Keys.ENTER);
        awaitAnswer();
        console.tabTo("Experts");
        browser.await("imbalance");
        browser.tabTo("#gain");
        browser.press(Keys.DELETE, "0", Keys.ENTER);
        browser.await("#plan-summary", "1 is perfect");
        browser.tabTo("#apply");
        browser.press(Keys.ENTER);
        console.typeThrough(List.of(), "rebalance");
        console.enterDone();
        assertTrue(cluster.epoch() > 1);
        assertTrue(browser.has("#preview:focus"), "the focus is where the next plan begins");
    }

    @Test
    void figuresGoOnAndAWorkerIsDrainedByKeyboard() throws IOException {
        console.signIn(OPERATOR, "worker-3");
        browser.tabTo("#drain-worker-3");
        String epoch = "tbody tr:nth-child(3) td:last-child";
        browser.await(epoch, "1");
        Map<String, Object> replica = Map.of(
                "layer",
                1,
                "expert",
                0,
                "toWorkerId",
                cluster.another(1, 0),
                "reason",
                "while the button has the focus");
        assertEquals(
                200,
                cluster.admin(OPERATOR)
                        .call("PlacementService/Replicate", replica)
                        .status());
        browser.await(epoch, "2");
        assertTrue(browser.has("#drain-worker-3:focus"), "the figures leave the focus where it is");

        browser.press(Keys.ENTER);
        console.typeThrough(List.of(), "new memory");
        browser.await("dialog", "Drained: it may be switched off.");
        browser.await("dialog button:focus", "Done");
        browser.picture("drained");
        browser.press(Keys.ENTER);
        browser.awaitGone("dialog");
        browser.await("tbody tr:nth-child(3)", "draining");
        browser.await("tbody tr:nth-child(3)", "Give back");
        browser.tabTo("#drain-worker-3");
        browser.press(Keys.ENTER);
        console.typeThrough(List.of(), "it is back");
        browser.awaitGone("dialog");
        browser.await("tbody tr:nth-child(3)", "ready");
    }

    @Test
    void everyPageFitsANarrowScreen() {
        console.signIn(OPERATOR, "worker-3");
        browser.size(ConsolePage.NARROW, 800);
        for (String page : PAGES) {
            console.click(page);
            Object beyond =
                    browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assertEquals(0L, beyond, page + " needs no sideways scrolling");
        }
    }

    private void askByMouse() {
        console.click("Playground");
        browser.find("#question").sendKeys("Which city is the capital of Uganda?");
        browser.click("main button.primary");
        awaitAnswer();
    }

    /// A plan for any gain.
    private void previewByMouse() {
        browser.find("#gain").clear();
        browser.find("#gain").sendKeys("0");
        browser.click("#preview");
    }

    private void awaitAnswer() {
        browser.await("#talk .content", "The capital of Uganda is Kampala.");
        browser.await("#talk .reasoning", "Its capital is Kampala.");
        browser.await("#talk .figures", "/s, first after ");
        browser.await("#talk .figures", "home worker-");
        browser.await("#talk .figures", "experts placed on worker-1, worker-2, worker-3");
    }

    /// A figure of the overview.
    private double rate(String name) {
        Object text = browser.run("""
                const curves = [...document.querySelectorAll(".curve")];
                const curve = curves.find((one) => one.textContent.startsWith(arguments[0]));
                return curve.querySelector("output").textContent;""", name);
        return Double.parseDouble(String.valueOf(text).replace("/s", ""));
    }

    /// Remembers what the bar of the open dialog shows.
    private void watchProgress() {
        browser.run("""
                window.seen = new Set();
                new MutationObserver(() => {
                    const bar = document.querySelector("dialog progress");
                    if (bar) window.seen.add(bar.value);
                }).observe(document.body, {childList: true, subtree: true});""");
    }

    private long stepsSeen() {
        return (long) browser.run("return window.seen.size");
    }
}
