//! A page in a real headless browser, and everything it complains about or asks for.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia, SetScriptExecutionDisabled,
};
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Network, Page as PageDomain};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;

/// The longest that a page may take for anything: a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Page {
    tab: Arc<Tab>,
    /// Errors and warnings on the console, uncaught exceptions, violations of the policy.
    complaints: Arc<Mutex<Vec<String>>>,
    /// Whatever was asked for over any protocol, the page itself too.
    requests: Arc<Mutex<Vec<String>>>,
    // Ends the browser when the page is dropped.
    _browser: Browser,
}

impl Page {
    /// A browser with an empty page.
    pub fn new() -> Self {
        let path = headless_chrome::browser::default_executable().unwrap_or_else(|error| {
            panic!(
                "{error}: the report is tested in a real browser; install one with scripts/install-build-tools \
                 (Debian: apt-get install chromium), or name one in the environment variable CHROME"
            )
        });
        let options = LaunchOptions::default_builder()
            .path(Some(path))
            // The sandbox needs rights that containers lack; the page is ours.
            .sandbox(false)
            .window_size(Some((1280, 900)))
            .idle_browser_timeout(PATIENCE * 4)
            .args(vec![OsStr::new("--disable-dev-shm-usage"), OsStr::new("--disable-component-update")])
            .build()
            .expect("the options are whole");
        let browser = Browser::new(options).expect("the browser starts");
        let tab = browser.new_tab().expect("the browser opens a tab");
        tab.set_default_timeout(PATIENCE);
        let (complaints, requests) = (Arc::default(), Arc::default());
        let page = Self { tab, complaints, requests, _browser: browser };
        page.listen();
        page
    }

    fn listen(&self) {
        let (complaints, requests) = (Arc::clone(&self.complaints), Arc::clone(&self.requests));
        let listener = move |event: &Event| {
            let complaint = match event {
                Event::RuntimeConsoleAPICalled(said) => format!("console: {:?}", said.params),
                Event::RuntimeExceptionThrown(thrown) => format!("exception: {:?}", thrown.params.exception_details),
                Event::LogEntryAdded(entry) => format!("log: {:?}", entry.params.entry),
                Event::NetworkRequestWillBeSent(request) => {
                    requests.lock().unwrap().push(request.params.request.url.clone());
                    return;
                }
                _ => return,
            };
            complaints.lock().unwrap().push(complaint);
        };
        self.tab.add_event_listener(Arc::new(listener)).expect("the tab takes listeners");
        self.tab.enable_runtime().and_then(|tab| tab.enable_log()).expect("the tab reports errors");
        let enable = Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        };
        self.tab.call_method(enable).expect("the tab reports requests");
    }

    /// Opens a file and waits until its scripts say that they are ready; how long that took.
    pub fn open(&self, file: &Path) -> Duration {
        let begun = Instant::now();
        self.tab.navigate_to(&format!("file://{}", file.display())).expect("the page opens");
        self.tab.wait_until_navigated().expect("the page loads");
        self.until("document.documentElement.dataset.ready === 'yes'");
        begun.elapsed()
    }

    /// Opens a file with JavaScript switched off.
    pub fn open_without_script(&self, file: &Path) {
        self.tab.call_method(SetScriptExecutionDisabled { value: true }).expect("scripts can be switched off");
        self.tab.navigate_to(&format!("file://{}", file.display())).expect("the page opens");
        self.tab.wait_until_navigated().expect("the page loads");
    }

    /// Presses Ctrl-P as far as the page can tell: it is told before and after.
    pub fn print(&self) -> Vec<u8> {
        self.tab.print_to_pdf(None).expect("the browser prints")
    }

    /// The value of an expression.
    pub fn value(&self, expression: &str) -> Value {
        let json = format!("JSON.stringify({expression})");
        let result = self.tab.evaluate(&json, true).unwrap_or_else(|error| panic!("{expression}: {error}"));
        match result.value {
            Some(Value::String(json)) => serde_json::from_str(&json).expect("the browser writes JSON"),
            _ => Value::Null,
        }
    }

    pub fn number(&self, expression: &str) -> f64 {
        self.value(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    pub fn text(&self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// Waits until an expression is true.
    pub fn until(&self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != Value::Bool(true) {
            assert!(begun.elapsed() < PATIENCE, "never true: {expression}; {:?}", self.complaints());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn press(&self, key: &str) {
        self.tab.press_key(key).expect("the browser takes keys");
    }

    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// As on a screen of this width whose owner prefers `scheme`: light or dark.
    pub fn look(&self, scheme: &str, width: u32, height: u32) {
        let feature = MediaFeature { name: "prefers-color-scheme".to_owned(), value: scheme.to_owned() };
        let media = SetEmulatedMedia { media: None, features: Some(vec![feature]) };
        self.tab.call_method(media).expect("the browser takes a scheme");
        let metrics = serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let metrics: SetDeviceMetricsOverride = serde_json::from_value(metrics).expect("these are its fields");
        self.tab.call_method(metrics).expect("the browser takes a size");
    }

    /// Styled as for a printer.
    pub fn on_paper(&self) {
        let media = SetEmulatedMedia { media: Some("print".to_owned()), features: None };
        self.tab.call_method(media).expect("the browser takes a medium");
    }

    /// What is on the screen, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let format = PageDomain::CaptureScreenshotFormatOption::Png;
        self.tab.capture_screenshot(format, None, None, true).expect("the browser draws the page")
    }
}
