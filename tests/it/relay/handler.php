<?php
// A shop's handler as modules have it: it verifies the PSP's signature over what came, behind its own variable, and that
// the relay signed the call (Standard Webhooks). It writes down what it heard.

$query = $_SERVER['QUERY_STRING'];
$own = 'a=i&';
$message = str_starts_with($query, $own) ? substr($query, strlen($own)) : '';
$end = (int) strrpos($message, '&Signature=');
$signature = base64_decode(rawurldecode(substr($message, $end + strlen('&Signature='))));
$key = file_get_contents(getenv('PSP_KEY'));
$of_psp = openssl_verify(substr($message, 0, $end), $signature, $key, OPENSSL_ALGO_SHA1) === 1;

$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$signed = $id . '.' . ($_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '') . '.' . $query;
$secret = base64_decode(substr(getenv('RELAY_SECRET'), strlen('whsec_')));
$expected = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $secret, true));
$of_relay = in_array($expected, explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? ''), true);

parse_str($message, $fields);
$line = implode(' ', [$fields['Ref'] ?? '-', $fields['ChoixCarte'] ?? '-', $of_psp ? 'psp' : '-', $of_relay ? 'relay' : '-']);
file_put_contents(getenv('HEARD'), $line . "\n", FILE_APPEND | LOCK_EX);
http_response_code($of_psp && $of_relay ? 200 : 500);
