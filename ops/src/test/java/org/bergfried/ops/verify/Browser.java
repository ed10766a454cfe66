package org.bergfried.ops.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.Keys;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real Chromium, used by keyboard and mouse. It keeps a list of what it asked for, and pictures of what it showed.
///
/// Both programs are those of the machine: nothing is downloaded, and no name but the test's own address is resolved.
final class Browser implements AutoCloseable {
    private static final Path PICTURES = Path.of("target", "screenshots");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Logger PROTOCOL = Logger.getLogger("org.openqa.selenium.devtools");
    private static final int TABS_MAX = 80;

    private final ChromeDriver driver;

    /// Starts Chromium with a fresh profile.
    Browser() throws IOException {
        PROTOCOL.setLevel(Level.SEVERE); // it warns of a typed protocol's version, which nothing here uses
        var options = new ChromeOptions().setBinary(chromium().program().toString());
        options.addArguments(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
        var logs = new LoggingPreferences();
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        var service = new ChromeDriverService.Builder()
                .usingDriverExecutable(chromedriver().program().toFile())
                .build();
        driver = new ChromeDriver(service, options);
        size(1280, 900);
        Files.createDirectories(PICTURES);
    }

    /// The browser; see [Tool#find] for where there is none.
    static Tool chromium() {
        return Tool.find("bergfried.chromium", "chromium");
    }

    /// What drives it.
    static Tool chromedriver() {
        return Tool.find("bergfried.chromedriver", "chromedriver");
    }

    /// What the page has in pixels, not the window around it.
    void size(int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    }

    void open(String url) {
        driver.get(url);
    }

    /// As the system's setting would have it.
    void prefer(String scheme) {
        Map<String, Object> feature = new HashMap<>();
        feature.put("name", "prefers-color-scheme");
        feature.put("value", scheme);
        driver.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features", List.of(feature)));
    }

    WebElement find(String css) {
        return driver.findElement(By.cssSelector(css));
    }

    boolean has(String css) {
        return !driver.findElements(By.cssSelector(css)).isEmpty();
    }

    String text() {
        return find("body").getText();
    }

    /// Waits until the page says something.
    void await(String text) {
        await("body", text);
    }

    /// Waits until a part of the page says something.
    void await(String css, String text) {
        until(
                "\"" + text + "\" in " + css,
                () -> has(css) && find(css).getText().contains(text));
    }

    void awaitGone(String css) {
        until(css + " gone", () -> !has(css));
    }

    private void until(String what, BooleanSupplier isSo) {
        new WebDriverWait(driver, PATIENCE)
                .withMessage(() -> what + ": never; the page says: " + text())
                .ignoring(StaleElementReferenceException.class)
                .until(any -> isSo.getAsBoolean());
    }

    void click(String css) {
        find(css).click();
    }

    /// Clicks on a place of an element, counted from its upper left corner.
    void clickAt(String css, int x, int y) {
        WebElement element = find(css);
        Dimension size = element.getSize();
        new Actions(driver)
                .moveToElement(element, x - size.getWidth() / 2, y - size.getHeight() / 2)
                .click()
                .perform();
    }

    /// Presses keys wherever the focus is.
    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    /// Walks with Tab until the focus is on an element, as somebody without a mouse does.
    void tabTo(String css) {
        List<String> passed = new ArrayList<>();
        for (int i = 0; i < TABS_MAX; i++) {
            if (has(css + ":focus")) {
                return;
            }
            WebElement focused = driver.switchTo().activeElement();
            passed.add(focused.getTagName() + "#" + focused.getAttribute("id"));
            press(Keys.TAB);
        }
        throw new AssertionError("Tab never comes to " + css + "; it passed " + passed);
    }

    /// What a script returns; empty text if it returns nothing.
    Object run(String script, Object... arguments) {
        return Objects.requireNonNullElse(driver.executeScript(script, arguments), "");
    }

    /// Keeps a picture of the whole page as a build artefact.
    void picture(String name) throws IOException {
        Object height = run("return Math.max(innerHeight, document.documentElement.scrollHeight)");
        Object width = run("return innerWidth");
        Map<String, Object> clip = Map.of("x", 0, "y", 0, "scale", 1, "width", width, "height", height);
        Map<String, Object> shot = driver.executeCdpCommand(
                "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true, "clip", clip));
        Files.write(PICTURES.resolve(name + ".png"), Base64.getDecoder().decode((String) shot.get("data")));
    }

    /// The addresses that were asked for since the last call.
    List<String> requests() {
        List<String> urls = new ArrayList<>();
        driver.manage().logs().get(LogType.PERFORMANCE).forEach(entry -> {
            JsonNode message = JsonMapper.shared().readTree(entry.getMessage()).path("message");
            if (message.path("method").asString("").equals("Network.requestWillBeSent")) {
                urls.add(message.path("params").path("request").path("url").asString());
            }
        });
        return urls;
    }

    /// What scripts and the page's own rules complained about since the last call.
    List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                .map(entry -> entry.getMessage())
                .toList();
    }

    @Override
    public void close() {
        driver.quit();
    }
}
