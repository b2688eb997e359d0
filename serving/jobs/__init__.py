"""Jobs: long lists that are assessed in the background, to the end, also over crashes."""
