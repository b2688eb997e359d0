"""From pictures to captions: text read off them, marks found in it, sentences written about them."""
