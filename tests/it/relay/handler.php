<?php
// A shop's handler as modules have it: it verifies the PSP's signature over what came, Up2pay's behind a variable of its own,
// and that the relay signed the call (Standard Webhooks). It writes down what it heard.

function signed_by_up2pay(string $query, string $own): bool
{
    $message = str_starts_with($query, $own) ? substr($query, strlen($own)) : '';
    $end = (int) strrpos($message, '&Signature=');
    $signature = base64_decode(rawurldecode(substr($message, $end + strlen('&Signature='))));
    $key = file_get_contents(getenv('UP2PAY_KEY'));
    return openssl_verify(substr($message, 0, $end), $signature, $key, OPENSSL_ALGO_SHA1) === 1;
}

function signed_by_sogecommerce(array $form): bool
{
    $fields = array_filter($form, fn ($name) => str_starts_with($name, 'vads_'), ARRAY_FILTER_USE_KEY);
    ksort($fields);
    $key = getenv('SOGECOMMERCE_KEY');
    $expected = base64_encode(hash_hmac('sha256', implode('+', $fields) . '+' . $key, $key, true));
    return hash_equals($expected, $form['signature'] ?? '');
}

function signed_by_relay(string $message): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $signed = $id . '.' . ($_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '') . '.' . $message;
    $secret = base64_decode(substr(getenv('RELAY_SECRET'), strlen('whsec_')));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $secret, true));
    return in_array($expected, explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? ''), true);
}

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $heard = [$_POST['vads_order_id'] ?? '-', $_POST['vads_url_check_src'] ?? '-'];
    $of_psp = signed_by_sogecommerce($_POST);
    $of_relay = signed_by_relay(file_get_contents('php://input'));
} else {
    $heard = [$_GET['Ref'] ?? '-', $_GET['ChoixCarte'] ?? '-'];
    $of_psp = signed_by_up2pay($_SERVER['QUERY_STRING'], 'a=i&');
    $of_relay = signed_by_relay($_SERVER['QUERY_STRING']);
}
$line = implode(' ', [...$heard, $of_psp ? 'psp' : '-', $of_relay ? 'relay' : '-']);
file_put_contents(getenv('HEARD'), $line . "\n", FILE_APPEND | LOCK_EX);
http_response_code($of_psp && $of_relay ? 200 : 500);
