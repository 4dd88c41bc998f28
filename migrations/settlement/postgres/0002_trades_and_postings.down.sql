DROP TABLE postings;
DROP TABLE trades;

ALTER TABLE orders RESET (fillfactor);
ALTER TABLE balances RESET (fillfactor);
ALTER TABLE candles RESET (fillfactor);
ALTER TABLE position RESET (fillfactor);
