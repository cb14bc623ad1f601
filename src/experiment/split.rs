//! Reads the names of a model's parts: llama.cpp splits `m.gguf` into `m-00001-of-00003.gguf` and so on
//! (`llama_split_path`).

/// What a file's name says of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitName {
    Whole,
    Part(SplitPart),
}

/// One part of a split set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPart {
    /// What stands before the number, directories included.
    prefix: String,
    /// From 1 up.
    pub index: u32,
    pub count: u32,
}

/// Reads the name, or the path, of a model file.
pub fn split_name(file: &str) -> SplitName {
    parse(file).map_or(SplitName::Whole, SplitName::Part)
}

fn parse(file: &str) -> Option<SplitPart> {
    let (rest, count) = file.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (prefix, index) = rest.rsplit_once('-')?;
    let number = |digits: &str| {
        (digits.len() == 5 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse::<u32>().ok())?
    };
    let (index, count) = (number(index)?, number(count)?);
    (1..=count).contains(&index).then(|| SplitPart { prefix: prefix.to_owned(), index, count })
}

impl SplitPart {
    pub fn is_first(&self) -> bool {
        self.index == 1
    }

    /// The name of the first part.
    pub fn first(&self) -> String {
        self.name(1)
    }

    /// The names of all parts, in order.
    pub fn all(&self) -> impl Iterator<Item = String> {
        (1..=self.count).map(|index| self.name(index))
    }

    fn name(&self, index: u32) -> String {
        format!("{}-{index:05}-of-{:05}.gguf", self.prefix, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_names_the_others() {
        let SplitName::Part(part) = split_name("q8/m-v1-00002-of-00003.gguf") else { panic!("it is a part") };
        assert_eq!((part.index, part.count, part.is_first()), (2, 3, false));
        let names = ["q8/m-v1-00001-of-00003.gguf", "q8/m-v1-00002-of-00003.gguf", "q8/m-v1-00003-of-00003.gguf"];
        assert_eq!(part.all().collect::<Vec<_>>(), names);
        assert_eq!(part.first(), names[0]);
    }

    #[test]
    fn other_names_are_whole_files() {
        for name in
            ["m.gguf", "m-1-of-3.gguf", "m-00004-of-00003.gguf", "m-00000-of-00003.gguf", "m-00001-of-00003.bin", ""]
        {
            assert_eq!(split_name(name), SplitName::Whole, "{name}");
        }
    }
}
