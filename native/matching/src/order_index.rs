//! From an order's sequence straight to its slot: pages of slots, one for each run of 4,096 command sequences.
//!
//! A page is there while an order of its run lives. Emptied pages are used again, so a steady market allocates none.

use std::collections::VecDeque;

const PAGE_BITS: u32 = 12;
const PAGE_SLOTS: usize = 1 << PAGE_BITS;
/// Emptied pages kept for use again; one more is freed.
const SPARE_PAGES_MAX: usize = 64;
pub const NONE: u32 = u32::MAX;

struct Page {
    live: u32,
    slots: Box<[u32; PAGE_SLOTS]>,
}

#[derive(Default)]
pub struct OrderIndex {
    first_page: u64,
    pages: VecDeque<Option<Page>>,
    spare: Vec<Page>,
    live: usize,
}

impl OrderIndex {
    pub fn len(&self) -> usize {
        self.live
    }

    #[inline(always)]
    pub fn get(&self, sequence: u64) -> Option<u32> {
        let place = (sequence >> PAGE_BITS).checked_sub(self.first_page)?;
        let page = self.pages.get(place as usize)?.as_ref()?;
        let slot = page.slots[sequence as usize % PAGE_SLOTS];
        (slot != NONE).then_some(slot)
    }

    #[inline(always)]
    pub fn insert(&mut self, sequence: u64, slot: u32) {
        let place = self.place_for(sequence >> PAGE_BITS);
        let spare = &mut self.spare;
        let page = self.pages[place].get_or_insert_with(|| spare.pop().unwrap_or_else(new_page));
        let entry = &mut page.slots[sequence as usize % PAGE_SLOTS];
        assert_eq!(*entry, NONE, "order {sequence} is in the index already");
        *entry = slot;
        page.live += 1;
        self.live += 1;
    }

    #[inline(always)]
    pub fn remove(&mut self, sequence: u64) {
        let place = (sequence >> PAGE_BITS) - self.first_page;
        let held = &mut self.pages[place as usize];
        let page = held.as_mut().expect("an order in the index has a page");
        page.slots[sequence as usize % PAGE_SLOTS] = NONE;
        page.live -= 1;
        self.live -= 1;
        if page.live == 0 {
            self.drop_page(place as usize);
        }
    }

    /// The slots by rising sequence.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        let pages = self.pages.iter().flatten();
        pages.flat_map(|page| page.slots.iter().copied().filter(|&slot| slot != NONE))
    }

    #[inline(always)]
    fn place_for(&mut self, number: u64) -> usize {
        if self.pages.is_empty() {
            self.first_page = number;
        }
        while number < self.first_page {
            self.pages.push_front(None);
            self.first_page -= 1;
        }
        let place = (number - self.first_page) as usize;
        while place >= self.pages.len() {
            self.pages.push_back(None);
        }
        place
    }

    #[cold]
    fn drop_page(&mut self, place: usize) {
        if let Some(page) = self.pages[place].take() {
            if self.spare.len() < SPARE_PAGES_MAX {
                self.spare.push(page);
            }
        }
        while let Some(None) = self.pages.front() {
            self.pages.pop_front();
            self.first_page += 1;
        }
    }
}

fn new_page() -> Page {
    Page { live: 0, slots: Box::new([NONE; PAGE_SLOTS]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_found_while_they_live_and_come_by_their_sequence() {
        let mut index = OrderIndex::default();
        for (sequence, slot) in [(9_000, 1), (5, 2), (4_096, 3)] {
            index.insert(sequence, slot);
        }
        assert_eq!(index.slots().collect::<Vec<_>>(), [2, 3, 1]);
        index.remove(5);
        assert_eq!(
            (index.get(5), index.get(4_096), index.get(1 << 50), index.len()),
            (None, Some(3), None, 2)
        );
        index.remove(4_096);
        index.remove(9_000);
        assert_eq!((index.len(), index.pages.len()), (0, 0));
        index.insert(7, 4);
        assert_eq!(index.get(7), Some(4));
    }
}
