DROP TABLE postings;
DROP TABLE trades;
