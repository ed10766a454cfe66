package org.bergfried.ops.verify;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.Keys;

/// The console as somebody uses it in a browser, with a mouse or without.
///
/// @param router where the console comes from.
record ConsolePage(Browser browser, String router) {
    static final int NARROW = 400; // pixels: a telephone
    private static final String SUBMIT = "dialog button[type='submit']";
    private static final String CLOSE = "dialog .buttons button";
    private static final int WIDE = 1280;
    private static final int HEIGHT = 900;
    private static final int GUTTER = 46; // pixels of the map left of its cells
    private static final int HEAD = 20; // pixels above them
    private static final int EDGE = 2; // pixels right of them and below
    private static final int LAYERS = 3; // of the demo model, from layer 1
    private static final int EXPERTS = 16;

    void signIn(String key) {
        browser.open(router + "/console/");
        browser.await("Sign in");
        browser.press(key, Keys.ENTER); // the field has the focus
    }

    void signIn(String key, String expected) {
        signIn(key);
        browser.await(expected);
    }

    /// Goes to a page by a click on its name.
    void click(String page) {
        browser.click(link(page));
        awaitPage(page);
    }

    /// The same by keyboard.
    void tabTo(String page) {
        browser.tabTo(link(page));
        browser.press(Keys.ENTER);
        awaitPage(page);
    }

    private static String link(String page) {
        return "nav a[href='#/" + page.toLowerCase(Locale.ROOT) + "']";
    }

    private void awaitPage(String page) {
        browser.await("nav a[aria-current]", page);
        browser.await("main h1", page);
    }

    /// Clicks on an expert's cell of the map.
    void clickExpert(int layer, int expert) {
        Dimension map = browser.find("#map").getSize();
        int width = map.getWidth() - GUTTER - EDGE;
        int height = map.getHeight() - HEAD - EDGE;
        browser.clickAt(
                "#map",
                GUTTER + width * (2 * expert + 1) / (2 * EXPERTS),
                HEAD + height * (2 * layer - 1) / (2 * LAYERS));
        browser.await("#selected", "Layer " + layer + ", expert " + expert + ":");
    }

    /// Walks to an expert's cell with the arrow keys, from the first one.
    void walkToExpert(int layer, int expert) {
        browser.tabTo("#map");
        browser.press(Keys.HOME, Keys.PAGE_UP);
        browser.press(Keys.ARROW_DOWN.toString().repeat(layer - 1));
        browser.press(Keys.ARROW_RIGHT.toString().repeat(expert));
        browser.await("#cell", "Layer " + layer + ", expert " + expert + ":");
        browser.press(Keys.ENTER);
        browser.await("#selected", "Layer " + layer + ", expert " + expert + ":");
    }

    /// Chooses in an open dialog, gives a reason and goes on.
    void clickThrough(List<String> choices, String reason) {
        for (String choice : choices) {
            browser.click("dialog option[value='" + choice + "']");
        }
        browser.find("#change-reason").sendKeys(reason);
        browser.click(SUBMIT);
    }

    /// The same by keyboard: the first field has the focus.
    void typeThrough(List<String> choices, String reason) {
        for (String choice : choices) {
            browser.press(choice, Keys.TAB);
        }
        browser.press(reason);
        browser.tabTo(SUBMIT);
        browser.press(Keys.ENTER);
    }

    /// Waits until the dialog tells of a plan's end, and closes it.
    void clickDone() {
        browser.await("dialog", ": done, ");
        browser.click(CLOSE);
        browser.awaitGone("dialog");
    }

    /// The same by keyboard: the button that closes it gets the focus.
    void enterDone() {
        browser.await("dialog", ": done, ");
        browser.await("dialog button:focus", "Done");
        browser.press(Keys.ENTER);
        browser.awaitGone("dialog");
    }

    /// Pictures of a page as it is: light, dark, and on a telephone.
    void pictures(String name) throws IOException {
        browser.picture(name + "-light");
        browser.prefer("dark");
        browser.picture(name + "-dark");
        browser.prefer("light");
        browser.size(NARROW, HEIGHT);
        browser.picture(name + "-narrow");
        browser.size(WIDE, HEIGHT);
    }
}
