//! The command line and the users' file. Plain data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `--help` says.
pub const HELP: &str = "\
connmap-server: a small DCP server. Clients speak Couchbase's memcached binary
protocol to it; their data is on disk before it is acknowledged.

    connmap-server [OPTIONS]

    --listen ADDRESS   where to listen [127.0.0.1:11210]
    --data FOLDER      where the buckets are kept, a file each; made if it is not
                       there [a new folder in the system's temporary folder]
    --users FILE       who may authenticate (SASL PLAIN): a line for each user, a
                       name and a password with a space between them, or a # and
                       a comment. Without it, nobody has to.
    --vbuckets N       vbs of a new bucket, 1 to 1024 [1024]
    --help             this

Without a bucket in FOLDER, the bucket `default` is made. Ctrl-C ends all streams
and connections, as the deletion of their bucket does, and keeps the data.
Passwords cross the network in the clear: listen beyond the loopback only where
you may.

Exit status: 0 after Ctrl-C, 1 when it cannot start, 2 for a mistake above.
";

/// What the server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen.
    pub listen: String,
    /// The folder of the buckets.
    pub data: PathBuf,
    /// Who may authenticate.
    pub users: Users,
    /// The vbs of a new bucket.
    pub vbs: u16,
}

impl Options {
    /// Reads the arguments behind the program's name; `None`: help is wanted.
    ///
    /// # Errors
    /// A mistake, in words.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Options {
            listen: "127.0.0.1:11210".into(),
            data: std::env::temp_dir().join(format!("connmap-server-{}", std::process::id())),
            users: Users::default(),
            vbs: 1024,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || {
                let next = inline.clone().or_else(|| arguments.next());
                next.ok_or(format!("{name} wants a value; see --help"))
            };
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--listen" => options.listen = value()?,
                "--data" => options.data = value()?.into(),
                "--users" => options.users = Users::read(Path::new(&value()?))?,
                "--vbuckets" => {
                    let number = value()?;
                    let valid = |vbs: &u16| (1..=1024).contains(vbs);
                    options.vbs = number
                        .parse()
                        .ok()
                        .filter(valid)
                        .ok_or(format!("--vbuckets is 1 to 1024, and not {number}"))?;
                }
                _ => return Err(format!("there is no option {name}; see --help")),
            }
        }
        Ok(Some(options))
    }
}

/// Names and passwords.
#[derive(Clone, Debug, Default)]
pub struct Users(BTreeMap<String, String>);

impl Users {
    fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        let users = Users::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
        match users.is_empty() {
            true => Err(format!("{shown}: there is no user in it, so nobody could get in")),
            false => Ok(users),
        }
    }

    /// Reads the text of a users' file.
    ///
    /// # Errors
    /// A line that is none, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut users = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, password) = line
                .split_once(' ')
                .ok_or(format!("line {}: a name, a space and a password", number + 1))?;
            users.insert(name.to_owned(), password.to_owned());
        }
        Ok(Users(users))
    }

    /// Whether nobody has to authenticate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these are a user and their password. Looks at every byte of the
    /// password, so that the time tells nothing of it but its length.
    pub fn check(&self, name: &[u8], password: &[u8]) -> bool {
        let known = std::str::from_utf8(name).ok().and_then(|name| self.0.get(name));
        let Some(known) = known.map(String::as_bytes) else { return false };
        let differ = |differ, (a, b): (&u8, &u8)| differ | (a ^ b);
        known.len() == password.len() && known.iter().zip(password).fold(0, differ) == 0
    }
}
