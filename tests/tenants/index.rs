//! The index of tenants, read in pages.

use crate::server::Server;
use crate::{create, delete, id, list, tenants};

#[tokio::test]
async fn pages_of_any_size_list_all_tenants() {
    let server = Server::start().await;
    let transport = server.transport();
    let tenants = tenants(&transport);
    assert_eq!(list(tenants, 10).await, [""; 0]);
    // In byte order: `-` and `.` come before digits, and digits before letters.
    let names = ["0", "1-a", "1.a", "10", "9", "a", "a-b", "a.b", "a0", "aa", "b"];
    for name in names.iter().rev() {
        create(tenants, name, "free").await;
    }
    for page in 1..=12 {
        assert_eq!(list(tenants, page).await, names, "in pages of {page}");
    }
    let page = tenants.list(Some(&id("a.a")), 2).await.unwrap();
    let ids: Vec<_> = page.ids.iter().map(ToString::to_string).collect();
    assert_eq!((ids, page.more), (vec!["a.b".to_owned(), "a0".to_owned()], true), "after an id that does not exist");
    assert_eq!(tenants.list(Some(&id("b")), 2).await.unwrap().ids, []);

    let stored = tenants.get(&id("a")).await.unwrap().unwrap();
    delete(tenants, &stored).await;
    assert_eq!(list(tenants, 3).await, names.iter().copied().filter(|name| *name != "a").collect::<Vec<_>>());
}
